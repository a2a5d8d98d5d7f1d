/* Ways of scoring, written answers, canaries, overlaps, the judge, and what the models cost. */

const RULES = ["raw", "per_byte", "calibrated"];

function rulesPart() {
  const rows = REPORT.matrix.filter((row) => scoresByRule(row).some((score) => score !== null));
  if (!rows.length) return null;
  const options = distinct(rows.map((row) => row.shots))
    .sort((one, other) => one - other)
    .map((shots) => [shots, shotsName(shots)]);
  return card(
    "rules",
    say("rules-note", { rule: nameOf("rules", REPORT.rule) }),
    switching(say("shots"), options, options[0][0], (shots) => {
      const own = rows.filter((row) => row.shots === shots);
      const tables = [...groupBy(own, (row) => row.language)].map(([code, found]) =>
        scrolling(nameOf("languages", code), rulesTable(code, found)),
      );
      return make("div", { class: "pair" }, tables);
    }),
  );
}

/** Means over wordings and draws: by each rule, then the area under the curve. */
function scoresByRule(row) {
  const average = (values) => {
    const known = values.filter((value) => value !== null && value !== undefined);
    return known.length ? mean(known) : null;
  };
  return [
    ...RULES.map((rule) => average(row.variants.map((one) => one.by_rule[rule]))),
    average(row.variants.map((one) => one.auc)),
  ];
}

function rulesTable(code, rows) {
  const groups = [...groupBy(rows, (row) => row.task)];
  const bodies = groups.map(([task, own]) =>
    make(
      "tbody",
      null,
      make("tr", { class: "group" }, make("th", { scope: "rowgroup", colspan: 5, dir: "auto" }, task)),
      own.map((row) => {
        const scores = scoresByRule(row);
        const best = Math.max(...scores.slice(0, RULES.length).filter((one) => one !== null));
        return make(
          "tr",
          null,
          make("th", { scope: "row" }, modelName(row.model)),
          scores.map((score, number) => ruleCell(score, number, best, chanceOf(task))),
        );
      }),
    ),
  );
  const heads = RULES.map((rule) => nameOf("rules", rule));
  return make(
    "table",
    { class: "figures heats" },
    make("caption", null, nameOf("languages", code)),
    tableHead(["", ...heads, "AUC"]),
    bodies,
  );
}

function ruleCell(score, number, best, chance) {
  if (score === null) return make("td", { class: "note" }, "–");
  const isRule = number < RULES.length;
  const cell = make("td", isRule && score === best ? { class: "best" } : null);
  cell.append(isRule ? cent(score, 1) : score.toFixed(2));
  return paint(cell, score, isRule ? chance : 0.5);
}

function qualityPart() {
  const rows = REPORT.matrix.filter((row) => row.quality);
  if (!rows.length) return null;
  const columns = ["ended", "repetitive", "in_language", "rouge_l", "chrf"].filter((name) =>
    rows.some((row) => row.quality[name] !== null),
  );
  const options = distinct(rows.map((row) => row.shots))
    .sort((one, other) => one - other)
    .map((shots) => [shots, shotsName(shots)]);
  return card(
    "quality",
    say("quality-note"),
    switching(say("shots"), options, options[0][0], (shots) => {
      const own = rows.filter((row) => row.shots === shots);
      const tables = [...groupBy(own, (row) => row.language)].map(([code, found]) =>
        scrolling(nameOf("languages", code), qualityTable(code, found, columns)),
      );
      return make("div", { class: "pair" }, tables);
    }),
  );
}

function qualityTable(code, rows, columns) {
  const bodies = [...groupBy(rows, (row) => row.task)].map(([task, own]) =>
    make(
      "tbody",
      null,
      make(
        "tr",
        { class: "group" },
        make("th", { scope: "rowgroup", colspan: columns.length + 1, dir: "auto" }, task),
      ),
      own.map((row) =>
        make(
          "tr",
          null,
          make("th", { scope: "row" }, modelName(row.model)),
          columns.map((name) => qualityCell(name, row.quality[name])),
        ),
      ),
    ),
  );
  const heads = columns.map((name) => say(`quality-${name}`));
  return make(
    "table",
    { class: "figures heats" },
    make("caption", null, nameOf("languages", code)),
    tableHead(["", ...heads]),
    bodies,
  );
}

function qualityCell(name, value) {
  if (value === null) return make("td", { class: "note" }, "–");
  // Repetition is the one of which less is better.
  const cell = make("td", null, cent(value, 0));
  return paint(cell, name === "repetitive" ? 1 - value : value, 0);
}

function canariesPart() {
  if (!REPORT.canaries.length) return null;
  const asked = [...groupBy(REPORT.canaries, (one) => JSON.stringify([one.language, one.instruction]))];
  const parts = asked.map(([, answers]) =>
    make(
      "section",
      { class: "canary" },
      prose(answers[0].instruction, { class: "question" }),
      make(
        "div",
        { class: "canary-answers" },
        answers.map((answer) =>
          make(
            "div",
            { class: "canary-answer" },
            make("div", { class: "answer-head" }, modelName(answer.model), faults(answer)),
            prose(answer.answer || say("empty-answer"), { class: answer.answer ? "" : "note" }),
          ),
        ),
      ),
    ),
  );
  return card("canaries", say("canaries-note"), ...parts);
}

function faults(answer) {
  const found = [
    answer.ended ? null : "not-ended",
    answer.repetitive ? "repeats" : null,
    answer.in_language ? null : "other-language",
  ].filter(Boolean);
  if (!found.length) return make("span", { class: "badge above" }, say("fine"));
  return found.map((fault) => make("span", { class: "badge below" }, say(fault)));
}

function overlapsPart() {
  if (!REPORT.overlaps.length) return null;
  const parts = REPORT.overlaps.map((overlap) =>
    make(
      "details",
      { class: "fold" },
      make(
        "summary",
        null,
        make("span", { dir: "auto" }, overlap.task),
        " ",
        make(
          "span",
          { class: "note" },
          say(overlap.excluded ? "overlap-excluded" : "overlap-counted", {
            count: count(overlap.items.length),
          }),
        ),
      ),
      make("p", { class: "code", dir: "auto" }, overlap.items.join(", ")),
    ),
  );
  return card("overlaps", say("overlaps-note"), ...parts);
}

function judgePart() {
  if (!REPORT.judged.length) return null;
  const parts = REPORT.judged.map((one) => {
    const all = one.wins + one.ties + one.losses || 1;
    const values = { low: cent(one.low, 1), high: cent(one.high, 1) };
    const bar = (value, cls) => {
      const node = make("span", { class: cls }, value ? count(value) : "");
      node.style.width = `${(100 * value) / all}%`;
      return node;
    };
    return make(
      "div",
      { class: "judged" },
      make("h3", null, nameOf("languages", one.language), " ",
        make("span", { class: "note", dir: "auto" }, one.judge)),
      make(
        "div",
        { class: "shares", role: "img", "aria-label": say("judge-text", {
          wins: count(one.wins), ties: count(one.ties), losses: count(one.losses) }) },
        bar(one.wins, "above"),
        bar(one.ties, "unclear"),
        bar(one.losses, "below"),
      ),
      make("p", { class: "shares-legend note" },
        make("span", { class: "above" }, say("judge-wins")),
        make("span", { class: "unclear" }, say("judge-ties")),
        make("span", { class: "below" }, say("judge-losses"))),
      make("p", null, say("judge-rates", {
        rate: cent(one.win_rate, 1), controlled: cent(one.length_controlled, 1), ...values })),
    );
  });
  return card("judge", say("judge-note"), make("div", { class: "pair" }, parts));
}

function modelsPart() {
  const models = OVERVIEW.models;
  const largest = Math.max(...models.map((one) => one.size_mb), 1);
  const fastest = Math.max(...models.map((one) => one.answers_per_second), 1);
  const bar = (value, most) => make("td", { class: "bar-cell" }, strip([span(0, value / most, "bar")]));
  const lines = models.map((one) =>
    make(
      "tr",
      null,
      make("th", { scope: "row", dir: "auto" }, one.model, roleOf(one.model)),
      make("td", null, one.size_mb ? `${count(Math.round(one.size_mb))} MB` : "–"),
      bar(one.size_mb, largest),
      make("td", null, one.answers_per_second
        ? one.answers_per_second.toFixed(one.answers_per_second < 10 ? 1 : 0) : "–"),
      bar(one.answers_per_second, fastest),
      make("td", { class: "code", dir: "auto" }, one.dataset || "–"),
      make("td", { class: "code", dir: "auto", title: one.fingerprint }, one.fingerprint.slice(0, 48)),
      make("td", one.damage ? { class: "below", lang: "en" } : null, one.damage || say("whole")),
    ),
  );
  const table = make(
    "table",
    { class: "figures models" },
    tableHead(["", say("size"), "", say("speed"), "", say("dataset"), say("fingerprint"), say("files")]),
    make("tbody", null, lines),
  );
  return card("models", say("models-note"), scrolling(say("models"), table), aboutRun());
}

function aboutRun() {
  const facts = [
    ["evaluation-id", REPORT.id],
    ["items-hash", REPORT.items_hash],
    ["template", `${REPORT.template} ${REPORT.template_hash}`],
    ["seed", String(REPORT.seed)],
    ["took", say("seconds", { count: count(Math.round(REPORT.seconds)) })],
  ];
  return make(
    "dl",
    { class: "facts" },
    facts.flatMap(([key, value]) => [
      make("dt", null, say(key)),
      make("dd", { class: "code", dir: "auto" }, value),
    ]),
  );
}
