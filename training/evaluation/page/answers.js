/* Item by item: who was right where, found by filters and search, a page at a time. */

const PER_PAGE = 20;
const OUTCOMES = ["all", "mine", "theirs", "both", "none"];
const ORDERS = ["task", "gains", "losses"];
const EMPTY = {
  view: "findings",
  mine: REPORT.challenger,
  theirs: REPORT.baseline,
  task: "",
  shots: "",
  wording: "",
  draw: "",
  outcome: "all",
  order: "task",
  query: "",
  page: 1,
};
const state = { ...EMPTY };

let isLoaded = false;
let loadingFailed = false;
/** What fits: pairs of places in `cells` and in the items of its block. */
let found = { rows: [], counts: {}, all: 0 };

/** Which of the two models got more marks; equal ones are both right only with all of them. */
function outcomeOf(mine, theirs) {
  if (mine > theirs) return "mine";
  if (mine < theirs) return "theirs";
  return mine === 100 ? "both" : "none";
}

function filterAnswers() {
  const counts = { all: 0, mine: 0, theirs: 0, both: 0, none: 0 };
  const rows = [];
  const words = fold(state.query).split(/\s+/).filter(Boolean);
  let all = 0;
  cells.forEach((cell, place) => {
    const mine = cell.columns.get(state.mine);
    const theirs = cell.columns.get(state.theirs);
    if (!mine || !theirs) return;
    all += mine.marks.length;
    if (!isWanted(cell)) return;
    const hit = matcher(cell.block, mine, theirs, words);
    for (let item = 0; item < cell.block.ids.length; item++) {
      if (mine.at[item] < 0 || theirs.at[item] < 0 || !hit(item)) continue;
      const outcome = outcomeOf(mine.marks[mine.at[item]], theirs.marks[theirs.at[item]]);
      counts.all++;
      counts[outcome]++;
      if (state.outcome === "all" || state.outcome === outcome) rows.push([place, item]);
    }
  });
  sortAnswers(rows);
  return { rows, counts, all };
}

function isWanted(cell) {
  return (
    (!state.task || state.task === cell.block.task) &&
    (!state.shots || state.shots === String(cell.shots)) &&
    (!state.wording || state.wording === cell.wording) &&
    (!state.draw || state.draw === String(cell.draw + 1))
  );
}

/** All words must occur, in the item or in one of the two answers. */
function matcher(block, mine, theirs, words) {
  if (!words.length) return () => true;
  const tests = words.map((word) => {
    const strings = block.foldedStrings.map((text) => text.includes(word));
    return (item) =>
      block.folded[item].includes(word) ||
      strings[mine.predictions[mine.at[item]]] ||
      strings[theirs.predictions[theirs.at[item]]];
  });
  return (item) => tests.every((test) => test(item));
}

function sortAnswers(rows) {
  if (state.order === "task") return;
  const sign = state.order === "gains" ? -1 : 1;
  const gains = rows.map(([place, item]) => {
    const { block, columns } = cells[place];
    const mine = certainty(block, columns.get(state.mine), item);
    return sign * (mine - certainty(block, columns.get(state.theirs), item));
  });
  const order = rows.map((_, number) => number).sort((one, other) => gains[one] - gains[other]);
  const sorted = order.map((number) => rows[number]);
  rows.splice(0, rows.length, ...sorted);
}

function drawAnswers() {
  drawSelects();
  found = filterAnswers();
  const pages = Math.max(1, Math.ceil(found.rows.length / PER_PAGE));
  // While answers are still read, the page that the address names may not be there yet.
  if (isLoaded) state.page = Math.min(Math.max(1, state.page), pages);
  const from = (state.page - 1) * PER_PAGE;
  const shown = found.rows.slice(from, from + PER_PAGE);
  drawOutcomes();
  drawHits();
  byId("list").replaceChildren(...shown.map(([place, item]) => answerCard(cells[place], item)));
  for (const id of ["pager-top", "pager-bottom"]) drawPager(byId(id), pages);
  if (byId("search").value !== state.query) byId("search").value = state.query;
}

function drawHits() {
  const values = { count: count(found.rows.length), all: count(found.all) };
  byId("hits").textContent = loadingFailed
    ? say("damaged")
    : isLoaded
      ? say(found.rows.length ? "hits" : "no-hits", values)
      : say("loading");
}

function drawOutcomes() {
  const group = byId("outcomes");
  const focused = [...group.children].indexOf(document.activeElement);
  const buttons = OUTCOMES.map((outcome) =>
    make(
      "button",
      {
        type: "button",
        class: `segment outcome-${outcome}`,
        "aria-pressed": String(state.outcome === outcome),
        title: say(`outcome-${outcome}-hint`),
        onclick: () => choose({ outcome }),
      },
      say(`outcome-${outcome}`),
      make("span", { class: "number" }, count(found.counts[outcome])),
    ),
  );
  group.replaceChildren(...buttons);
  if (focused >= 0) buttons[focused].focus();
}

let drawnSelects = "";

function drawSelects() {
  const { view, outcome, query, page, ...selected } = state;
  const wanted = JSON.stringify([language, cells.length, selected]);
  if (wanted === drawnSelects) return;
  drawnSelects = wanted;
  const models = OVERVIEW.models.map((one) => [one.model, shortName(one.model)]);
  const of = cells.filter((cell) => !state.task || cell.block.task === state.task);
  const any = (values, name = String) => [
    ["", say("any")],
    ...distinct(values).map((value) => [String(value), name(value)]),
  ];
  const shots = of.map((cell) => cell.shots).sort((one, other) => one - other);
  const fields = [
    ["mine", "challenger", models],
    ["theirs", "compared-with", models],
    ["task", "task", any(OVERVIEW.blocks.map((block) => block.task))],
    ["shots", "shots", any(shots, shotsName)],
    ["wording", "wording", any(of.map((cell) => cell.wording))],
    ["draw", "draw", any(of.map((cell) => cell.draw + 1).sort((one, other) => one - other), count)],
    ["order", "order", ORDERS.map((order) => [order, say(`order-${order}`)])],
  ];
  const focused = document.activeElement?.id;
  byId("selects").replaceChildren(...fields.map(([key, label, options]) => select(key, label, options)));
  if (focused?.startsWith("select-")) byId(focused)?.focus();
}

function select(key, label, options) {
  // A choice that this task does not have is shown all the same, so that it can be taken back.
  const known = options.some(([value]) => value === state[key]) ? options : [...options, [state[key], state[key]]];
  const node = make(
    "select",
    { id: `select-${key}`, class: "field", onchange: (event) => choose({ [key]: event.target.value }) },
    known.map(([value, name]) =>
      make("option", { value, selected: value === state[key] }, name || say("any")),
    ),
  );
  return make("label", { class: "select" }, make("span", { class: "note" }, say(label)), node);
}

function choose(changes) {
  Object.assign(state, { page: 1 }, changes);
  changed();
}

function drawPager(node, pages) {
  const go = (page, key, sign, isOff) =>
    make(
      "button",
      { type: "button", class: "button", disabled: isOff, "aria-label": say(key), title: say(key),
        onclick: () => turnTo(page) },
      sign,
    );
  const isFirst = state.page <= 1;
  const isLast = state.page >= pages;
  node.replaceChildren(
    go(1, "page-first", "⇤", isFirst),
    go(state.page - 1, "page-previous", "←", isFirst),
    make("span", { class: "note" }, say("page-of", { page: count(state.page), pages: count(pages) })),
    go(state.page + 1, "page-next", "→", isLast),
    go(pages, "page-last", "⇥", isLast),
  );
}

function turnTo(page) {
  state.page = page;
  changed();
  window.scrollTo(0, 0);
}

function answerCard(cell, item) {
  const { block } = cell;
  const mine = answerOf(block, cell.columns.get(state.mine), item);
  const theirs = answerOf(block, cell.columns.get(state.theirs), item);
  const outcome = outcomeOf(mine.marks, theirs.marks);
  const others = [...cell.columns.keys()].filter((one) => one !== state.mine && one !== state.theirs);
  return make(
    "article",
    { class: `item ${outcome}` },
    make(
      "header",
      { class: "item-head" },
      make("span", { class: `badge outcome-${outcome}` }, say(`outcome-${outcome}`)),
      make("span", { dir: "auto" }, block.task),
      make("span", { class: "note" }, shotsName(cell.shots)),
      make("span", { class: "note", dir: "auto" }, cell.wording),
      cell.shots ? make("span", { class: "note" }, `${say("draw")} ${count(cell.draw + 1)}`) : null,
      make("span", { class: "code note item-id", dir: "auto" }, block.ids[item]),
    ),
    longProse(block.texts[item], "item-text"),
    wantedOf(block, item),
    make(
      "div",
      { class: "sides" },
      sideOf(state.theirs, theirs, block.labels[item]),
      sideOf(state.mine, mine, block.labels[item]),
    ),
    others.length ? otherModels(cell, item, others) : null,
  );
}

const MOST_SHOWN = 700;

/** A long text is cut until it is asked for. */
function longProse(text, cls) {
  if (text.length <= MOST_SHOWN) return prose(text, { class: cls });
  const node = prose(`${text.slice(0, MOST_SHOWN)} …`, { class: cls });
  const more = make("button", { type: "button", class: "quiet" }, say("show-all"));
  more.addEventListener("click", () => {
    node.textContent = text;
    more.remove();
  });
  return [node, more];
}

function wantedOf(block, item) {
  const wanted = block.labels[item] ? [block.labels[item]] : block.references[item];
  if (!wanted.length) return null;
  return make(
    "div",
    { class: "wanted" },
    make("span", { class: "note" }, say("right-answer")),
    wanted.map((text) => make("span", { class: "prose", dir: "auto" }, text)),
  );
}

function sideOf(model, answer, label) {
  if (!answer) return null;
  const isRight = answer.marks === 100;
  const isGraded = answer.marks > 0 && answer.marks < 100;
  return make(
    "div",
    { class: `side ${isRight ? "right" : "wrong"}` },
    make("div", { class: "answer-head" }, modelName(model), roleOf(model)),
    make(
      "div",
      { class: "predicted" },
      make("span", { class: "side-mark", role: "img", "aria-label": say(isRight ? "right" : "wrong") },
        isRight ? "✓" : isGraded ? `${answer.marks}` : "✕"),
      longProse(answer.text || say("empty-answer"), answer.text ? "" : "note"),
      answer.ended === false ? make("span", { class: "badge below" }, say("not-ended")) : null,
    ),
    answer.chances.length
      ? make("div", { class: "chances" }, answer.chances.map((one) => chanceLine(one, label)))
      : null,
  );
}

function chanceLine([text, chance], label) {
  const isLabel = text === label;
  return make(
    "div",
    { class: `chance-line${isLabel ? " is-label" : ""}` },
    make("span", { class: "chance-name", dir: "auto", title: text }, text),
    strip([span(0, 1, "track"), chance ? span(0, chance, isLabel ? "bar label" : "bar") : null]),
    make("span", { class: "note" }, `${cent(chance)}%`),
  );
}

function otherModels(cell, item, others) {
  const node = make(
    "details",
    { class: "fold" },
    make("summary", null, say("other-models"), " ", others.map((model) => {
      const answer = answerOf(cell.block, cell.columns.get(model), item);
      return answer && make("span", { class: "chip", dir: "auto" },
        `${shortName(model)} ${answer.marks === 100 ? "✓" : "✕"}`);
    })),
  );
  node.addEventListener("toggle", () => {
    if (node.querySelector(".sides")) return;
    const sides = others.map((model) =>
      sideOf(model, answerOf(cell.block, cell.columns.get(model), item), cell.block.labels[item]));
    node.append(fill(make("div", { class: "sides" }), null, sides));
  });
  return node;
}
