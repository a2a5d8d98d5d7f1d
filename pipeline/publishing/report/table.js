/* The table of all rows: only those in sight exist as elements.
 *
 * Rows have one height, so a row's place follows from its number. `shown` holds the rows that pass
 * the filters, in order; `active` is the place in it that the keys move.
 */

const BEYOND = 8;
const SNIPPET = 400;

let shown = [];
let active = 0;
let terms = [];
let rowHeight = 56;
const lines = new Map();

function setRows(rows) {
  shown = rows;
  active = Math.max(0, Math.min(active, rows.length - 1));
  forgetLines();
  drawRows();
}

function forgetLines() {
  for (const node of lines.values()) node.remove();
  lines.clear();
}

function measureRows() {
  const height = parseFloat(getComputedStyle(byId("grid")).getPropertyValue("--row")) || 56;
  if (height !== rowHeight) {
    rowHeight = height;
    forgetLines();
  }
}

function drawRows() {
  const scroller = byId("scroller");
  const space = byId("space");
  space.style.height = `${shown.length * rowHeight}px`;
  byId("grid").setAttribute("aria-rowcount", String(shown.length + 1));
  const first = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - BEYOND);
  const last = Math.min(
    shown.length,
    Math.ceil((scroller.scrollTop + scroller.clientHeight) / rowHeight) + BEYOND,
  );
  for (const [place, node] of lines) {
    if (place < first || place >= last) {
      node.remove();
      lines.delete(place);
    }
  }
  for (let place = first; place < last; place++) {
    if (!lines.has(place)) {
      const node = makeLine(place);
      lines.set(place, node);
      space.append(node);
    }
  }
  markActive();
}

function markActive() {
  const openRow = state.open ? rowAt(state.open) : -1;
  for (const [place, node] of lines) {
    node.classList.toggle("active", place === active);
    node.setAttribute("aria-selected", String(shown[place] === openRow));
  }
  const grid = byId("grid");
  if (shown.length) grid.setAttribute("aria-activedescendant", `line-${active}`);
  else grid.removeAttribute("aria-activedescendant");
}

function makeLine(place) {
  const row = shown[place];
  const cell = (kind, ...children) =>
    make("span", { role: "gridcell", class: `cell cell-${kind}` }, children);
  const node = make(
    "div",
    {
      role: "row",
      class: "line",
      id: `line-${place}`,
      "aria-rowindex": place + 2,
      onclick: () => openPlace(place),
    },
    cell("status", statusOf(row), decisionBadge(columns.id[row])),
    cell(
      "text",
      make("span", { class: "line-title" }, titleOf(row)),
      make("span", { class: "line-under" }, underlineOf(row)),
    ),
    cell("language", languageName(valueOf.language(row))),
    cell("task", nameOf("tasks", valueOf.task(row))),
    cell("score", fixed(columns.score[row], 1)),
    cell("similarity", fixed(columns.similarity[row], 2)),
    cell("length", count(rowLength(row))),
  );
  node.style.transform = `translateY(${place * rowHeight}px)`;
  return node;
}

function statusOf(row) {
  const isKept = columns.side[row] > 0;
  const text = isKept ? say("kept") : nameOf("reasons", valueOf.reason(row));
  return make(
    "span",
    { class: isKept ? "status kept" : "status dropped", title: text },
    make("span", { class: "status-text" }, text),
  );
}

function decisionBadge(id) {
  const decision = decisions.get(id);
  return decision
    ? make("span", { class: `badge ${decision.verdict}` }, nameOf("verdicts", decision.verdict))
    : null;
}

function titleOf(row) {
  const text = columns.instruction[row];
  if (!text.trim()) return make("em", { class: "muted" }, say("no-instruction"));
  return snippet(text);
}

/** The output, or the field in which the search found something that the instruction lacks. */
function underlineOf(row) {
  const fields = [columns.output[row], columns.input[row]];
  if (!terms.length) return snippet(fields[0] || fields[1]);
  const inTitle = findMarks(columns.instruction[row].slice(0, 5000), terms).length > 0;
  if (!inTitle) {
    const found = fields.find((text) => findMarks(text.slice(0, 5000), terms).length);
    if (found === undefined) {
      const id = findMarks(columns.id[row], terms).length
        ? [make("span", { class: "code" }, markedText(columns.id[row], terms)), " "]
        : [];
      return [...id, snippet(fields[0] || fields[1])];
    }
    return snippet(found);
  }
  return snippet(fields[0] || fields[1]);
}

/** A line of text that begins near its first match. */
function snippet(text) {
  const flat = text.slice(0, 5000).replace(/\s+/g, " ").trim();
  const [mark] = terms.length ? findMarks(flat, terms) : [];
  const start = mark && mark[0] > 40 ? flat.indexOf(" ", mark[0] - 28) + 1 : 0;
  const from = mark ? Math.min(start, mark[0]) : 0;
  const part = (from ? "… " : "") + flat.slice(from, from + SNIPPET);
  return markedText(part, terms);
}

function moveTo(place) {
  if (!shown.length) return;
  active = Math.max(0, Math.min(shown.length - 1, place));
  const scroller = byId("scroller");
  const top = active * rowHeight;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  const bottom = top + rowHeight - scroller.clientHeight;
  if (bottom > scroller.scrollTop) scroller.scrollTop = bottom;
  drawRows();
}

function pageSize() {
  return Math.max(1, Math.floor(byId("scroller").clientHeight / rowHeight) - 1);
}

/** The heads of the columns: buttons that sort. */
function drawHead() {
  const heads = SORTABLE.map((column) => {
    const direction =
      state.sort === column ? "ascending" : state.sort === `-${column}` ? "descending" : null;
    const button = make(
      "button",
      { type: "button", onclick: () => sortBy(column) },
      say(`head-${column}`),
      make(
        "span",
        { class: "arrow", "aria-hidden": "true" },
        direction === "ascending" ? "↑" : direction ? "↓" : "",
      ),
    );
    return make(
      "span",
      {
        role: "columnheader",
        class: `cell cell-${column === "instruction" ? "text" : column}`,
        "aria-sort": direction || "none",
      },
      button,
    );
  });
  byId("heads").replaceChildren(...heads);
}

/** Numbers fall first, names rise first; the third click takes the order away. */
function sortBy(column) {
  const isNumber = ["score", "similarity", "length"].includes(column);
  const order = isNumber ? [`-${column}`, column, ""] : [column, `-${column}`, ""];
  const now = order.indexOf(state.sort);
  state.sort = order[(now + 1) % 3];
  active = 0;
  byId("scroller").scrollTop = 0;
  changed();
}

function backToTop() {
  active = 0;
  byId("scroller").scrollTop = 0;
}
