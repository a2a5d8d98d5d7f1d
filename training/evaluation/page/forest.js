/* Differences between challenger and baseline, each with its interval. */

const KINDS = ["same-shots", "zero-to-few", "zero-to-best-wording"];

function forestPart() {
  const challengers = distinct(REPORT.comparisons.map((one) => one.challenger));
  if (!challengers.length) return null;
  const first = challengers.includes(REPORT.challenger) ? REPORT.challenger : challengers[0];
  const options = challengers.map((name) => [name, shortName(name)]);
  return card(
    "differences",
    say("differences-note", { baseline: REPORT.baseline }),
    switching(say("challenger"), options, first, drawForest),
  );
}

function drawForest(challenger) {
  const own = REPORT.comparisons.filter((one) => one.challenger === challenger);
  const seen = OVERVIEW.detectable.filter((_, at) => {
    const { kind, challenger: whose } = REPORT.comparisons[at];
    return kind === "same-shots" && whose === challenger;
  });
  const frame = frameOf(own);
  const parts = KINDS.map((kind) => [kind, own.filter((one) => one.kind === kind)])
    .filter(([, rows]) => rows.length)
    .map(([kind, rows]) =>
      make(
        "div",
        { class: "forest" },
        make("h3", null, nameOf("kinds", kind)),
        make("p", { class: "note" }, meaningOf("kinds", kind)),
        make("div", { class: "forest-line" }, make("span"), forestAxis(frame)),
        byLanguage(rows).map((row, at, all) =>
          forestLine(row, frame, row.task !== all[at - 1]?.task),
        ),
      ),
    );
  const text = seen.length ? say("detectable", { points: cent(median(seen), 1) }) : "";
  return [make("p", { class: "note detectable" }, text), ...parts];
}

/** From where to where all intervals reach, in whole steps, with zero among them. */
function frameOf(rows) {
  const low = Math.min(-0.02, ...rows.map((row) => row.low));
  const high = Math.max(0.02, ...rows.map((row) => row.high));
  const step = [0.02, 0.05, 0.1, 0.2].find((one) => (high - low) / one <= 8) ?? 0.5;
  const from = Math.floor(low / step) * step;
  const to = Math.ceil(high / step) * step;
  return { step, from, to, at: (value) => (value - from) / (to - from) };
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

function byLanguage(rows) {
  return [...groupBy(rows, (row) => row.language).values()].flatMap((own) =>
    [...groupBy(own, (row) => row.family).values()].flat(),
  );
}

function forestAxis({ step, from, to, at }) {
  const steps = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, n) => from + n * step);
  return axis(steps.map((value) => [at(value), points(value, 0)]));
}

function forestLine(row, { at }, isFirst) {
  const side = row.low > 0 ? "above" : row.high < 0 ? "below" : "unclear";
  const text = `${points(row.difference)} (${points(row.low)} … ${points(row.high)})`;
  return make(
    "div",
    { class: `forest-line ${side}${isFirst ? " first" : ""}` },
    make(
      "span",
      { class: "forest-name" },
      make("span", { class: "forest-task", title: row.task, dir: "auto" }, isFirst ? row.task : ""),
      make("span", { class: "note" }, describeSides(row)),
    ),
    strip(
      [
        rule(at(0), "zero"),
        span(at(row.low), at(row.high), side),
        dot(at(row.difference), `large ${side}`),
      ],
      `${row.task}: ${text}`,
    ),
    make("span", { class: "forest-text" }, text),
    make("span", { class: "note" }, describeCounts(row)),
  );
}

function describeSides(row) {
  if (row.kind === "same-shots") return shotsName(row.shots);
  if (row.kind === "zero-to-few")
    return say("against-shots", { mine: shotsName(row.shots), theirs: shotsName(row.baseline_shots) });
  return say("against-wording", { wording: row.baseline_wording });
}

function describeCounts(row) {
  return say("wins-losses", {
    wins: count(row.wins),
    losses: count(row.losses),
    p: row.p_value < 0.001 ? "< 0.001" : `= ${row.p_value.toFixed(3)}`,
  });
}

function heldOutPart() {
  if (!REPORT.held_out.length) return null;
  const most = Math.max(...REPORT.held_out.map((loss) => loss.bits_per_byte));
  const tables = [...groupBy(REPORT.held_out, (loss) => loss.language)].map(([code, losses]) => {
    const [{ records, bytes }] = losses;
    const sizes = say("held-out-counts", { records: count(records), bytes: count(bytes) });
    const name = nameOf("languages", code);
    return scrolling(
      name,
      make(
        "table",
        { class: "figures" },
        make("caption", null, name, " ", make("span", { class: "note" }, sizes)),
        tableHead(["", say("bits-per-byte"), "", say("difference")]),
        make("tbody", null, losses.map((loss) => heldOutLine(loss, most))),
      ),
    );
  });
  return card("held-out", say("held-out-note"), make("div", { class: "pair" }, tables));
}

function heldOutLine(loss, most) {
  const isBaseline = loss.model === REPORT.baseline;
  const side = loss.high < 0 ? "above" : loss.low > 0 ? "below" : "unclear";
  const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);
  const text = `${signed(loss.difference)} (${signed(loss.low)} … ${signed(loss.high)})`;
  return make(
    "tr",
    null,
    make("th", { scope: "row" }, modelName(loss.model)),
    make("td", null, loss.bits_per_byte.toFixed(3)),
    make("td", { class: "bar-cell" }, strip([span(0, loss.bits_per_byte / most, "bar")])),
    make("td", { class: isBaseline ? "note" : side }, isBaseline ? say("baseline") : text),
  );
}

function tableHead(names) {
  const cells = names.map((name) => make("th", { scope: "col" }, name));
  return make("thead", null, make("tr", null, cells));
}
