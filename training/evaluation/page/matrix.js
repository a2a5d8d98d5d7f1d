/* The matrix as a heat map: a table a language, a row a model, a column a task and shot count. */

let pinned = null;
let tipCell = null;

function chanceOf(task) {
  return OVERVIEW.blocks.find((block) => block.task === task)?.chance ?? 0;
}

/** How far a share lies from guessing, as a share of the way to all or nothing right. */
function heatOf(share, chance) {
  if (share >= chance) return { side: "above", amount: (share - chance) / (1 - chance || 1) };
  return { side: "below", amount: (chance - share) / chance };
}

function paint(node, share, chance) {
  const { side, amount } = heatOf(share, chance);
  node.classList.add("heat", side);
  node.style.setProperty("--amount", `${Math.round(100 * Math.min(1, amount))}%`);
  return node;
}

function matrixPart() {
  const tables = [...groupBy(REPORT.matrix, (row) => row.language)].map(([code, rows]) =>
    make(
      "div",
      { class: "matrix-part" },
      make("h3", null, nameOf("languages", code)),
      scrolling(say("matrix"), matrixTable(rows)),
    ),
  );
  return card("matrix", say("matrix-note"), scale(), ...tables);
}

/** What the colours mean. */
function scale() {
  const step = (share) => paint(make("i"), share, 0.5);
  const steps = [0, 0.12, 0.25, 0.38, 0.5, 0.62, 0.75, 0.88, 1];
  return make(
    "div",
    { class: "scale" },
    make("span", null, say("none-right")),
    make("span", { class: "scale-steps", "aria-hidden": "true" }, steps.map(step)),
    make("span", null, say("all-right")),
    make("span", { class: "note" }, say("scale-note")),
  );
}

function matrixTable(rows) {
  const columns = sortColumns(rows);
  const cells = groupBy(rows, (row) => JSON.stringify([row.model, row.task, row.shots]));
  const body = distinct(rows.map((row) => row.model)).map((model) =>
    make(
      "tr",
      null,
      make("th", { scope: "row", class: "row-head" }, modelName(model), roleOf(model)),
      columns.map(({ task, shots, first }) => {
        const row = cells.get(JSON.stringify([model, task, shots]))?.[0];
        return make("td", { class: first ? "first" : null }, row ? matrixCell(row) : "–");
      }),
    ),
  );
  const table = make("table", { class: "matrix" }, matrixHead(columns), make("tbody", null, body));
  table.addEventListener("keydown", moveInMatrix);
  const first = table.querySelector(".cell");
  if (first) first.tabIndex = 0;
  return table;
}

/** Columns by family, then task, then shots; `first` begins a task. */
function sortColumns(rows) {
  const families = distinct(rows.map((row) => row.family));
  const tasks = distinct(rows.map((row) => row.task));
  const seen = groupBy(rows, (row) => JSON.stringify([row.task, row.shots]));
  const columns = [...seen.values()].map(([row]) => ({
    family: row.family,
    task: row.task,
    shots: row.shots,
    items: row.item_count,
  }));
  columns.sort(
    (one, other) =>
      families.indexOf(one.family) - families.indexOf(other.family) ||
      tasks.indexOf(one.task) - tasks.indexOf(other.task) ||
      one.shots - other.shots,
  );
  columns.forEach((column, place) => (column.first = columns[place - 1]?.task !== column.task));
  return columns;
}

function matrixHead(columns) {
  const spans = (key) => [...groupBy(columns, key)];
  const corner = () => make("td", { class: "row-head" });
  return make(
    "thead",
    null,
    make(
      "tr",
      null,
      corner(),
      spans((column) => column.family).map(([family, own]) =>
        make(
          "th",
          { scope: "colgroup", colspan: own.length, class: "family first" },
          nameOf("families", family),
        ),
      ),
    ),
    make(
      "tr",
      null,
      corner(),
      spans((column) => column.task).map(([task, own]) =>
        make(
          "th",
          { scope: "colgroup", colspan: own.length, class: "task first" },
          make("span", { class: "task-name", title: task, dir: "auto" }, task),
          make("span", { class: "note" }, aboutTask(task, own[0].items)),
        ),
      ),
    ),
    make(
      "tr",
      null,
      corner(),
      columns.map((column) =>
        make("th", { scope: "col", class: column.first ? "first" : null }, shotsName(column.shots)),
      ),
    ),
  );
}

function aboutTask(task, items) {
  const chance = chanceOf(task);
  const values = { items: count(items), chance: cent(chance) };
  return say(chance ? "items-chance" : "items-written", values);
}

function matrixCell(row) {
  const compared = sameShots(row);
  const node = make(
    "button",
    {
      type: "button",
      class: "cell",
      tabindex: "-1",
      "aria-haspopup": "dialog",
      "aria-label": describeCell(row),
      onmouseenter: () => pinned || showTip(node, row),
      onmouseleave: () => pinned || hideTip(),
      onfocus: () => showTip(node, row),
      onblur: (event) => {
        if (!byId("tip").contains(event.relatedTarget)) hideTip();
      },
      onclick: (event) => {
        pinned = node;
        showTip(node, row);
        // By key, not by mouse: what can be done next is in there.
        if (event.detail === 0) byId("tip").querySelector(".button").focus();
      },
    },
    make("b", null, cent(row.accuracy)),
    make("span", { class: "range" }, `${cent(row.low)}–${cent(row.high)}`),
    compared ? make("span", { class: "mark", "aria-hidden": "true" }, compared) : null,
  );
  return paint(node, row.accuracy, chanceOf(row.task));
}

/** An arrow where the interval of the difference to the baseline excludes none. */
function sameShots(row) {
  const found = REPORT.comparisons.find(
    (one) =>
      one.kind === "same-shots" &&
      one.challenger === row.model &&
      one.task === row.task &&
      one.shots === row.shots,
  );
  if (!found || (found.low <= 0 && found.high >= 0)) return "";
  return found.low > 0 ? "▲" : "▼";
}

function describeCell(row) {
  return say("cell-text", {
    model: row.model,
    task: row.task,
    shots: shotsName(row.shots),
    score: cent(row.accuracy, 1),
    low: cent(row.low, 1),
    high: cent(row.high, 1),
  });
}

/** Arrow keys go from cell to cell; only one of a table is a stop of the tabulator. */
function moveInMatrix(event) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const step = steps[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell) return;
  event.preventDefault();
  const row = cell.parentElement;
  const rows = [...row.parentElement.rows];
  const next = rows[rows.indexOf(row) + step[0]]?.cells[cell.cellIndex + step[1]];
  const button = next?.querySelector(".cell");
  if (!button) return;
  event.target.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
}

function showTip(node, row) {
  if (pinned && pinned !== node) pinned = null;
  const tip = byId("tip");
  tip.replaceChildren(
    make("h3", null, modelName(row.model)),
    make("p", { class: "note", dir: "auto" }, `${row.task}, ${shotsName(row.shots)}`),
    make(
      "p",
      { class: "tip-score" },
      make("b", null, cent(row.accuracy, 1)),
      ` ${cent(row.low, 1)}–${cent(row.high, 1)} `,
      make("span", { class: "note" }, say("interval")),
    ),
    make("p", { class: "note" }, countItems(row)),
    variantTable(row),
    make(
      "button",
      { type: "button", class: "button", onclick: () => openAnswers(row) },
      say("read-answers"),
    ),
  );
  tip.hidden = false;
  tipCell = node;
  placeTip();
}

function countItems(row) {
  const values = { items: count(row.item_count), clusters: count(row.cluster_count) };
  const said = say(row.cluster_count === row.item_count ? "items-alone" : "items-grouped", values);
  if (row.variants.length < 2) return said;
  const scores = row.variants.map((variant) => variant.score);
  const spread = cent(Math.max(...scores) - Math.min(...scores), 1);
  return `${said} ${say("spread", { spread })}`;
}

function variantTable(row) {
  const best = Math.max(...row.variants.map((variant) => variant.score));
  const lines = row.variants.map((variant) =>
    make(
      "tr",
      variant.score === best && row.variants.length > 1 ? { class: "best" } : null,
      make("th", { scope: "row", dir: "auto" }, variant.wording),
      make("td", null, row.shots ? count(variant.draw + 1) : ""),
      make("td", null, cent(variant.score, 1)),
      make("td", null, variant.auc === null ? "" : variant.auc.toFixed(2)),
    ),
  );
  const heads = [say("wording"), row.shots ? say("draw") : "", say("score"), "AUC"];
  return make(
    "table",
    { class: "small" },
    make("thead", null, make("tr", null, heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", null, lines),
  );
}

/** Below the cell, or above it where there is no room; always within the window. */
function placeTip() {
  const tip = byId("tip");
  if (tip.hidden) return;
  const cell = tipCell.getBoundingClientRect();
  const box = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, cell.left), innerWidth - box.width - 8);
  const below = cell.bottom + 6;
  const top = below + box.height < innerHeight ? below : Math.max(8, cell.top - box.height - 6);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${top}px`;
}

function hideTip() {
  pinned = null;
  byId("tip").hidden = true;
}

function openAnswers(row) {
  hideTip();
  Object.assign(state, { ...EMPTY, view: "answers", task: row.task, shots: String(row.shots) });
  if (row.model !== REPORT.baseline) state.mine = row.model;
  changed({ replace: false });
  window.scrollTo(0, 0);
}
