/* Which rows are shown, in which order, and how many each filter would show. */

const RANGES = ["score", "similarity"];
const FACETS = [
  "status",
  "split",
  "language",
  "stage",
  "reason",
  "task",
  "strategy",
  "teacher",
  "review",
];

const decisions = new Map(OVERVIEW.decisions.map((one) => [one.record, one]));

const state = {
  view: "overview",
  query: "",
  facets: Object.fromEntries(FACETS.map((facet) => [facet, new Set()])),
  ranges: Object.fromEntries(RANGES.map((range) => [range, [null, null]])),
  sort: "",
  open: "",
};

/** The value of a row for a facet, as it stands in the address. */
const valueOf = {
  status: (row) => (columns.side[row] ? "kept" : "rejected"),
  split: (row) => (columns.side[row] ? OVERVIEW.names.sides[columns.side[row]] : null),
  language: (row) => OVERVIEW.names.languages[columns.language[row]],
  stage: (row) => OVERVIEW.names.stages[columns.stage[row]] ?? null,
  reason: (row) => OVERVIEW.names.reasons[columns.reason[row]] ?? null,
  task: (row) => OVERVIEW.names.task_types[columns.task[row]],
  strategy: (row) => OVERVIEW.names.strategies[columns.strategy[row]],
  teacher: (row) => OVERVIEW.names.teachers[columns.teacher[row]],
  review: (row) => decisions.get(columns.id[row])?.verdict ?? "undecided",
};

function hasFilters() {
  return (
    state.query.trim() !== "" ||
    FACETS.some((facet) => state.facets[facet].size) ||
    RANGES.some((range) => state.ranges[range].some((end) => end !== null))
  );
}

function clearFilters() {
  state.query = "";
  for (const facet of FACETS) state.facets[facet].clear();
  for (const range of RANGES) state.ranges[range] = [null, null];
}

/** Rows in which all terms occur, as flags; null without terms. `isStale` ends it early. */
async function searchRows(terms, isStale) {
  if (!terms.length) return null;
  const found = new Uint8Array(loadedRows);
  let pausedAt = performance.now();
  for (const chunk of chunks) {
    searchChunk(chunk, terms, found);
    if (performance.now() - pausedAt > 60) {
      await new Promise((resume) => setTimeout(resume));
      if (isStale()) return null;
      pausedAt = performance.now();
    }
  }
  return found;
}

function searchChunk(chunk, terms, found) {
  const { starts, text, firstRow } = chunk;
  const size = starts.length - 1;
  terms.forEach((term, nth) => {
    const initials = term.initials ? initialsOf(chunk) : "";
    let row = 0;
    let at = findTerm(term, text, initials, 0);
    while (at >= 0) {
      while (row < size && starts[row + 1] <= at) row++;
      // A row counts how many terms, in their order, it was found to hold.
      if (found[firstRow + row] === nth) found[firstRow + row] = nth + 1;
      at = row + 1 < size ? findTerm(term, text, initials, starts[row + 1]) : -1;
    }
  });
}

/** Rows that pass, in order, and for each facet how many rows each value would show. */
function filterRows(found, termCount) {
  const tests = FACETS.filter((facet) => facetIsUsed(facet)).map((facet) => facetTest(facet));
  const limits = RANGES.map((range) => rangeTest(range)).filter(Boolean);
  const passing = [];
  for (let row = 0; row < loadedRows; row++) {
    if (found && found[row] !== termCount) continue;
    if (limits.length && !limits.every((test) => test(row))) continue;
    countRow(row, tests, passing);
  }
  return {
    rows: sortRows(passing),
    counts: Object.fromEntries(tests.map((one) => [one.facet, one.counts])),
  };
}

/** A row counts for a facet when all others let it through. */
function countRow(row, tests, passing) {
  let refusing = null;
  for (const test of tests) {
    if (!test.lets(row)) {
      if (refusing) return;
      refusing = test;
    }
  }
  if (refusing) {
    refusing.add(row);
    return;
  }
  passing.push(row);
  for (const test of tests) test.add(row);
}

function facetIsUsed(facet) {
  if (facet === "review")
    return OVERVIEW.reviewing || decisions.size > 0 || state.facets.review.size > 0;
  return true;
}

function facetTest(facet) {
  const chosen = state.facets[facet];
  const value = valueOf[facet];
  const counts = new Map();
  return {
    facet,
    counts,
    lets: chosen.size ? (row) => chosen.has(value(row)) : () => true,
    add: (row) => {
      const own = value(row);
      if (own !== null) counts.set(own, (counts.get(own) || 0) + 1);
    },
  };
}

function rangeTest(range) {
  const [low, high] = state.ranges[range];
  if (low === null && high === null) return null;
  const column = columns[range] || [];
  return (row) => {
    const value = column[row];
    return (
      value !== null &&
      value !== undefined &&
      (low === null || value >= low) &&
      (high === null || value <= high)
    );
  };
}

const collator = new Intl.Collator("ko", { numeric: true });
const ranks = new Map();

/** Numbers by which a column is sorted; rows without one come last either way. */
function sortKeys(column) {
  if (["score", "similarity"].includes(column)) return columns[column] || [];
  if (column === "length") return (row) => rowLength(row);
  if (!ranks.has(column)) {
    const value =
      column === "instruction" ? (row) => columns.instruction[row].slice(0, 80) : valueOf[column];
    const values = [...new Set(Array.from({ length: loadedRows }, (_, row) => value(row) ?? ""))];
    const places = new Map(values.sort(collator.compare).map((one, place) => [one, place]));
    ranks.set(
      column,
      Array.from({ length: loadedRows }, (_, row) => places.get(value(row) ?? "")),
    );
  }
  return ranks.get(column);
}

function rowLength(row) {
  const lengths = columns.lengths[row];
  if (lengths) return lengths[0] + lengths[1] + lengths[2];
  return columns.instruction[row].length + columns.input[row].length + columns.output[row].length;
}

function sortRows(rows) {
  if (!state.sort) return rows;
  const falling = state.sort.startsWith("-");
  const found = sortKeys(state.sort.replace(/^-/, ""));
  const key = typeof found === "function" ? found : (row) => found[row];
  const keys = new Float64Array(loadedRows);
  for (const row of rows) {
    const value = key(row);
    keys[row] = value === null || value === undefined ? Infinity : falling ? -value : value;
  }
  return rows.sort((one, other) =>
    keys[one] === keys[other] ? one - other : keys[one] - keys[other],
  );
}

/** The state as an address, so that a view can be sent to someone. */
function toAddress() {
  const parts = new URLSearchParams();
  if (state.view !== "overview") parts.set("view", state.view);
  if (state.query) parts.set("q", state.query);
  for (const facet of FACETS) {
    for (const value of state.facets[facet]) parts.append(facet, value);
  }
  for (const range of RANGES) {
    const [low, high] = state.ranges[range];
    if (low !== null || high !== null) parts.set(range, `${low ?? ""}..${high ?? ""}`);
  }
  if (state.sort) parts.set("sort", state.sort);
  if (state.open) parts.set("open", state.open);
  return `#${parts}`;
}

function fromAddress(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  clearFilters();
  state.view = parts.get("view") === "records" || parts.has("open") ? "records" : "overview";
  state.query = parts.get("q") || "";
  for (const facet of FACETS) state.facets[facet] = new Set(parts.getAll(facet));
  for (const range of RANGES) {
    const ends = (parts.get(range) || "..").split("..");
    state.ranges[range] = [0, 1].map((end) =>
      ends[end] && Number.isFinite(+ends[end]) ? +ends[end] : null,
    );
  }
  const sort = parts.get("sort") || "";
  state.sort = SORTABLE.includes(sort.replace(/^-/, "")) ? sort : "";
  state.open = parts.get("open") || "";
}

const SORTABLE = ["status", "instruction", "language", "task", "score", "similarity", "length"];

/** A row's address: its id, with an ordinal from the second row on that has the same one. */
function addressOf(row) {
  const id = columns.id[row];
  const first = rowsById.get(id);
  if (first === row) return id;
  let ordinal = 0;
  for (let other = first; other <= row; other++) if (columns.id[other] === id) ordinal++;
  return `${id}.${ordinal}`;
}

/** The row at an address, or -1. */
function rowAt(address) {
  const [id, wanted] = address.split(".");
  const first = rowsById.get(id) ?? -1;
  if (first < 0 || !wanted) return first;
  let ordinal = 1;
  for (let row = first + 1; row < loadedRows; row++) {
    if (columns.id[row] === id && ++ordinal === Number(wanted)) return row;
  }
  return first;
}
