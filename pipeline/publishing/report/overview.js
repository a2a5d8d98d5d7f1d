/* The overview: the figures of the version, each chart leading to its records. */

function drawOverview() {
  const figures = OVERVIEW.statistics.languages;
  const charts = [
    funnelChart(),
    reasonChart(),
    kindChart("tasks", "task_types", "task", figures),
    ...LANGUAGE_CODES.map((code) => lengthChart(code, figures[code])),
    ...LANGUAGE_CODES.map((code) => phraseChart(code, figures[code])),
    similarityChart(figures),
    roundChart(),
    judgeChart(),
    kindChart("strategies", "strategies", "strategy", figures),
  ];
  byId("charts").replaceChildren(...charts.filter(Boolean));
  drawFigures();
  drawFacts();
}

function drawFigures() {
  const { generated, kept, kept_by_language: byLanguage, splits } = OVERVIEW.manifest;
  const figure = (value, name, note, filter) =>
    make(
      "button",
      { class: "figure", type: "button", onclick: () => showRows(filter) },
      make("span", { class: "figure-name" }, name),
      make("span", { class: "figure-value" }, value),
      make("span", { class: "figure-note" }, note),
    );
  const languages = Object.entries(byLanguage).filter(([, number]) => number);
  byId("figures").replaceChildren(
    figure(count(kept), say("kept"), say("of-drafts", { share: share(kept, generated) }), {
      status: ["kept"],
    }),
    figure(
      count(generated - kept),
      say("rejected"),
      say("of-drafts", { share: share(generated - kept, generated) }),
      { status: ["rejected"] },
    ),
    ...languages.map(([code, number]) =>
      figure(count(number), languageName(code), say("of-kept", { share: share(number, kept) }), {
        status: ["kept"],
        language: [code],
      }),
    ),
    figure(
      count(splits.validation ?? 0),
      nameOf("sides", "validation"),
      say("beside-train", { count: count(splits.train ?? 0) }),
      { split: ["validation"] },
    ),
  );
}

function drawFacts() {
  const manifest = OVERVIEW.manifest;
  const names = (counts) => Object.keys(counts).join(", ");
  const tokens = manifest.prompt_tokens + manifest.completion_tokens;
  const facts = [
    ["teacher", names(manifest.teachers)],
    [
      "strategies",
      Object.keys(manifest.strategies)
        .map((one) => nameOf("strategies", one))
        .join(", "),
    ],
    ["licence", manifest.licence],
    [
      "tokens",
      tokens
        ? say("tokens-of", {
            prompt: count(manifest.prompt_tokens),
            completion: count(manifest.completion_tokens),
          })
        : "",
    ],
    ["judge", manifest.judge?.model ?? ""],
    ["parents", manifest.parents.map((one) => one.source).join(", ")],
    ["against", manifest.against.join(", ")],
    [
      "since",
      OVERVIEW.difference &&
        say("difference", { ...counted(OVERVIEW.difference), older: OVERVIEW.difference.older }),
    ],
    ["content-hash", manifest.content_hash],
  ];
  byId("facts").replaceChildren(
    ...facts
      .filter(([, value]) => value)
      .flatMap(([key, value]) => [
        make("dt", null, say(key)),
        make("dd", key === "content-hash" ? { class: "code" } : null, value),
      ]),
  );
}

function counted(numbers) {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [
      name,
      typeof value === "number" ? count(value) : value,
    ]),
  );
}

function funnelChart() {
  const total = OVERVIEW.manifest.generated;
  const first = Object.fromEntries(
    LANGUAGE_CODES.map((code) => [code, OVERVIEW.funnel[0][1][code] + OVERVIEW.funnel[0][2][code]]),
  );
  const steps = OVERVIEW.funnel.map(([stage, dropped, remaining]) => {
    const sum = LANGUAGE_CODES.reduce((all, code) => all + dropped[code], 0);
    const isOff = !OVERVIEW.asked.includes(stage) && !sum;
    return bar({
      name: nameOf("stages", stage),
      hint: meaningOf("stages", stage),
      parts: LANGUAGE_CODES.map((code) => [code, remaining[code]]),
      most: total,
      value: count(LANGUAGE_CODES.reduce((all, code) => all + remaining[code], 0)),
      filter: sum ? { stage: [stage] } : null,
      extra: make(
        "span",
        { class: sum ? "bar-loss" : "bar-loss none" },
        isOff ? say("off") : sum ? `−${count(sum)}` : "0",
      ),
    });
  });
  const drafts = bar({
    name: say("drafts"),
    parts: LANGUAGE_CODES.map((code) => [code, first[code]]),
    most: total,
    value: count(total),
    filter: {},
    extra: make("span", { class: "bar-loss" }),
  });
  return chart({
    title: "funnel",
    wide: true,
    note: say("funnel-note"),
    body: make("div", null, legend(), make("ol", { class: "bars funnel" }, drafts, steps)),
    header: [
      say("stage"),
      ...LANGUAGE_CODES.flatMap((code) => [
        `${languageName(code)}: ${say("dropped")}`,
        `${languageName(code)}: ${say("left")}`,
      ]),
    ],
    rows: OVERVIEW.funnel.map(([stage, dropped, remaining]) => [
      nameOf("stages", stage),
      ...LANGUAGE_CODES.flatMap((code) => [count(dropped[code]), count(remaining[code])]),
    ]),
  });
}

function reasonChart() {
  const byLanguage = OVERVIEW.manifest.rejected_by_language;
  const sums = new Map();
  for (const code of LANGUAGE_CODES) {
    for (const [reason, number] of Object.entries(byLanguage[code] || {}))
      sums.set(reason, (sums.get(reason) || 0) + number);
  }
  if (!sums.size) return null;
  const ordered = [...sums].sort((one, other) => other[1] - one[1]);
  const of = (reason, code) => byLanguage[code]?.[reason] || 0;
  return chart({
    title: "reasons",
    note: say("reasons-note"),
    body: make(
      "div",
      null,
      legend(),
      bars(
        ordered.map(([reason, sum]) => ({
          name: nameOf("reasons", reason),
          hint: meaningOf("reasons", reason),
          parts: LANGUAGE_CODES.map((code) => [code, of(reason, code)]),
          most: ordered[0][1],
          value: count(sum),
          filter: { reason: [reason] },
        })),
      ),
    ),
    header: [say("reason"), ...LANGUAGE_CODES.map(languageName), say("of-all-drafts")],
    rows: ordered.map(([reason, sum]) => [
      `${nameOf("reasons", reason)} (${reason})`,
      ...LANGUAGE_CODES.map((code) => count(of(reason, code))),
      share(sum, OVERVIEW.manifest.generated),
    ]),
  });
}

/** Task types or strategies of the kept records, by language. */
function kindChart(title, field, facet, figures) {
  const sums = new Map();
  for (const code of LANGUAGE_CODES) {
    for (const [kind, number] of Object.entries(figures[code]?.[field] || {}))
      sums.set(kind, (sums.get(kind) || 0) + number);
  }
  if (sums.size < 2) return null;
  const ordered = [...sums].sort((one, other) => other[1] - one[1]);
  const of = (kind, code) => figures[code]?.[field][kind] || 0;
  return chart({
    title,
    note: say(`${title}-note`),
    body: make(
      "div",
      null,
      legend(),
      bars(
        ordered.map(([kind, sum]) => ({
          name: nameOf(title, kind),
          parts: LANGUAGE_CODES.map((code) => [code, of(kind, code)]),
          most: ordered[0][1],
          value: count(sum),
          filter: { status: ["kept"], [facet]: [kind] },
        })),
      ),
    ),
    header: [say(facet), ...LANGUAGE_CODES.map(languageName)],
    rows: ordered.map(([kind]) => [
      nameOf(title, kind),
      ...LANGUAGE_CODES.map((code) => count(of(kind, code))),
    ]),
  });
}
