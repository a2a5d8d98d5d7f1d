/* Over cycles: a small chart a language and family, with what the generation was steered to. */

const CYCLE = { width: 240, height: 96, left: 22, right: 8, top: 8, bottom: 20 };

function cyclesPart() {
  const trend = OVERVIEW.trend;
  if (!trend) return null;
  const parts = [...groupBy(trend.cells.map((cell, number) => [cell, number]), ([cell]) => cell[0])];
  return card(
    "cycles",
    say("cycles-note"),
    gainsTable(trend),
    ...parts.map(([code, own]) =>
      make(
        "div",
        null,
        make("h3", null, nameOf("languages", code)),
        make("div", { class: "tiles small-tiles" }, own.map(([cell, number]) =>
          cycleTile(trend, cell[1], number))),
      ),
    ),
    make("details", { class: "fold" }, make("summary", null, say("as-table")),
      scrolling(say("cycles"), cyclesTable(trend))),
  );
}

/** Whether it helped: what steered cells gained against all others, version by version. */
function gainsTable(trend) {
  if (!trend.gains.length) return null;
  const lines = trend.gains.map((gain) =>
    make(
      "tr",
      null,
      make("th", { scope: "row", class: "code", dir: "auto" }, gain.version),
      gainCell(gain.steered),
      gainCell(gain.others),
    ),
  );
  const heads = tableHead([say("version"), say("gain-steered"), say("gain-others")]);
  const table = make("table", { class: "figures gains" }, heads, make("tbody", null, lines));
  return scrolling(say("gain-steered"), table);
}

function gainCell(value) {
  if (value === null) return make("td", { class: "note" }, "–");
  return make("td", { class: value > 0 ? "above" : value < 0 ? "below" : null }, points(value));
}

function cycleTile(trend, family, number) {
  const scores = trend.scores[number];
  const shares = trend.steered[number];
  const known = scores.map((score, at) => [score, at]).filter(([score]) => score);
  const change = known.at(-1)[0][0] - known[0][0][0];
  return make(
    "section",
    { class: "tile" },
    make("h3", null, nameOf("families", family), " ",
      make("span", { class: "note" }, known.length > 1 ? points(change) : "")),
    draw(
      "svg",
      {
        class: "cycle",
        viewBox: `0 0 ${CYCLE.width} ${CYCLE.height}`,
        role: "img",
        "aria-label": known.map(([score, at]) => `${trend.versions[at]}: ${cent(score[0])}`).join(", "),
      },
      cycleGrid(),
      shares.map((share, at) => steeredBar(trend, share, at)),
      draw("polyline", { class: "cycle-line", points: known.map(([score, at]) =>
        `${cycleX(trend, at)},${cycleY(score[0])}`).join(" ") }),
      known.map(([score, at]) => cyclePoint(trend, score, at)),
    ),
  );
}

function cycleX(trend, at) {
  const width = CYCLE.width - CYCLE.left - CYCLE.right;
  return CYCLE.left + (width * (at + 0.5)) / trend.versions.length;
}

function cycleY(share) {
  return CYCLE.top + (1 - share) * (CYCLE.height - CYCLE.top - CYCLE.bottom);
}

function cycleGrid() {
  return [0, 0.5, 1].flatMap((share) => [
    draw("line", { class: "rule edge", x1: CYCLE.left, x2: CYCLE.width - CYCLE.right,
      y1: cycleY(share), y2: cycleY(share) }),
    draw("text", { class: "tick", x: CYCLE.left - 4, y: cycleY(share) + 3, "text-anchor": "end" },
      cent(share)),
  ]);
}

/** A bar from the ground: the share of extra quota that led to this version. */
function steeredBar(trend, share, at) {
  if (!share) return null;
  const x = cycleX(trend, at);
  return draw("rect", { class: "steered", x: x - 8, width: 16, y: cycleY(share),
    height: Math.max(0.5, cycleY(0) - cycleY(share)) },
  draw("title", null, say("steered-share", { share: cent(share) })));
}

function cyclePoint(trend, [score, low, high], at) {
  const x = cycleX(trend, at);
  return [
    draw("line", { class: "cycle-range", x1: x, x2: x, y1: cycleY(low), y2: cycleY(high) }),
    draw("circle", { class: "cycle-dot", cx: x, cy: cycleY(score), r: 3.5 },
      draw("title", null, `${trend.versions[at]}: ${cent(score, 1)} (${cent(low, 1)}–${cent(high, 1)})`)),
    draw("text", { class: "tick", x, y: CYCLE.height - 5, "text-anchor": "middle" }, count(at + 1)),
  ];
}

function cyclesTable(trend) {
  const lines = trend.cells.map(([code, family], number) =>
    make(
      "tr",
      null,
      make("th", { scope: "row" }, `${nameOf("languages", code)}, ${nameOf("families", family)}`),
      trend.scores[number].map((score, at) => {
        const share = trend.steered[number][at];
        return make("td", null, score ? cent(score[0], 1) : "–",
          share ? make("span", { class: "note" }, ` +${cent(share)}%`) : null);
      }),
    ),
  );
  const heads = trend.versions.map((version, at) =>
    make("th", { scope: "col" }, `${count(at + 1)}. `,
      make("span", { class: "code", dir: "auto" }, version), " ",
      trend.verdicts[at] ? make("span", { class: "badge" }, nameOf("verdicts", trend.verdicts[at])) : null),
  );
  return make("table", { class: "figures" },
    make("thead", null, make("tr", null, make("th"), heads)), make("tbody", null, lines));
}
