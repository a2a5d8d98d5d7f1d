/* How much the score depends on the prompt: a dot a wording and draw, a line a model and shots. */

const COLOURS = 8;

function wordingsPart() {
  const isSingle = REPORT.matrix.every((row) => row.variants.length < 2);
  const codes = distinct(REPORT.matrix.map((row) => row.language));
  const options = codes.map((code) => [code, nameOf("languages", code)]);
  const first = codes.includes(language) ? language : codes[0];
  if (isSingle || !codes.length) return null;
  return card(
    "wordings",
    say("wordings-note"),
    switching(say("language-label"), options, first, (code) => {
      const rows = REPORT.matrix.filter((row) => row.language === code);
      const tasks = [...groupBy(rows, (row) => row.task).values()];
      return make("div", { class: "tiles" }, tasks.map(wordingTile));
    }),
  );
}

function wordingTile(rows) {
  const wordings = distinct(rows.flatMap((row) => row.variants.map((one) => one.wording)));
  const chance = chanceOf(rows[0].task);
  const models = [...groupBy(rows, (row) => row.model)].map(([model, own]) =>
    make(
      "div",
      { class: "tile-model" },
      make("div", { class: "tile-name" }, modelName(model)),
      own.map((row) => wordingLine(row, wordings, chance)),
    ),
  );
  return make(
    "section",
    { class: "tile" },
    make("h3", { title: rows[0].task, dir: "auto" }, rows[0].task),
    make(
      "ul",
      { class: "legend" },
      wordings.map((name, number) =>
        make("li", { class: `key wording-${number % COLOURS}`, dir: "auto" }, name),
      ),
    ),
    make(
      "div",
      { class: "tile-line" },
      make("span"),
      axis([0, 0.5, 1].map((share) => [share, cent(share)])),
      make("span", { class: "note", title: say("spread-hint") }, say("spread-short")),
    ),
    models,
  );
}

function wordingLine(row, wordings, chance) {
  const scores = row.variants.map((one) => one.score);
  const low = Math.min(...scores);
  const high = Math.max(...scores);
  const dots = row.variants.map((one) => {
    const drawn = row.shots ? `, ${say("draw")} ${count(one.draw + 1)}` : "";
    const cls = `wording-${wordings.indexOf(one.wording) % COLOURS}`;
    return dot(one.score, cls, `${one.wording}${drawn}: ${cent(one.score, 1)}`);
  });
  return make(
    "div",
    { class: "tile-line" },
    make("span", { class: "note" }, shotsName(row.shots)),
    strip(
      [rule(0, "edge"), rule(1, "edge"), chance ? rule(chance, "chance") : null,
        span(low, high, "thin"), dots],
      `${describeCell(row)} ${cent(low, 1)}–${cent(high, 1)}`,
    ),
    make("span", { class: "tile-spread" }, cent(high - low, 1)),
  );
}
