/* The overview's charts: bars are lists of buttons that filter the table, histograms are drawings.
 * Each has the same figures as a table, one click away.
 */

const LANGUAGE_CODES = OVERVIEW.names.languages.filter((code) =>
  OVERVIEW.funnel.some(([, dropped, remaining]) => dropped[code] + remaining[code] > 0),
);

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
    figure(count(kept), say("kept"), say("of-drafts", { share: share(kept, generated) }), { status: ["kept"] }),
    figure(count(generated - kept), say("rejected"), say("of-drafts", { share: share(generated - kept, generated) }), { status: ["rejected"] }),
    ...languages.map(([code, number]) =>
      figure(count(number), languageName(code), say("of-kept", { share: share(number, kept) }), { status: ["kept"], language: [code] })),
    figure(count(splits.validation ?? 0), nameOf("sides", "validation"), say("beside-train", { count: count(splits.train ?? 0) }), { split: ["validation"] }),
  );
}

function drawFacts() {
  const manifest = OVERVIEW.manifest;
  const names = (counts) => Object.keys(counts).join(", ");
  const tokens = manifest.prompt_tokens + manifest.completion_tokens;
  const facts = [
    ["teacher", names(manifest.teachers)],
    ["strategies", Object.keys(manifest.strategies).map((one) => nameOf("strategies", one)).join(", ")],
    ["licence", manifest.licence],
    ["tokens", tokens ? say("tokens-of", { prompt: count(manifest.prompt_tokens), completion: count(manifest.completion_tokens) }) : ""],
    ["judge", manifest.judge?.model ?? ""],
    ["parents", manifest.parents.map((one) => one.source).join(", ")],
    ["against", manifest.against.join(", ")],
    ["since", OVERVIEW.difference && say("difference", { ...counted(OVERVIEW.difference), older: OVERVIEW.difference.older })],
    ["content-hash", manifest.content_hash],
  ];
  byId("facts").replaceChildren(
    ...facts.filter(([, value]) => value).flatMap(([key, value]) => [make("dt", null, say(key)), make("dd", key === "content-hash" ? { class: "code" } : null, value)]),
  );
}

function counted(numbers) {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, typeof value === "number" ? count(value) : value]));
}

/** A chart with its heading, its table and the button between them. */
function chart({ title, note, body, header, rows, wide }) {
  const id = `chart-${title}`;
  const table = make(
    "table",
    { class: "figures-table", hidden: true },
    make("thead", null, make("tr", null, header.map((cell) => make("th", { scope: "col" }, cell)))),
    make("tbody", null, rows.map((row) => make("tr", null, row.map((cell, place) => make(place ? "td" : "th", place ? null : { scope: "row" }, cell))))),
  );
  const toggle = make("button", { class: "quiet", type: "button", "aria-pressed": "false" }, say("as-table"));
  toggle.addEventListener("click", () => {
    table.hidden = !table.hidden;
    body.hidden = !table.hidden;
    toggle.setAttribute("aria-pressed", String(!table.hidden));
  });
  return make(
    "section",
    { class: wide ? "chart wide" : "chart", "aria-labelledby": id },
    make("header", null, make("h2", { id }, say(title)), toggle),
    note && make("p", { class: "note" }, note),
    body,
    make("div", { class: "scroll-x" }, table),
  );
}

function legend() {
  if (LANGUAGE_CODES.length < 2) return null;
  return make("p", { class: "legend" }, LANGUAGE_CODES.map((code) => make("span", { class: `key-${code}` }, languageName(code))));
}

/** One row of bars: a button where it filters. */
function bar({ name, hint, parts, most, value, filter, extra }) {
  const track = make("span", { class: "track", "aria-hidden": "true" });
  for (const [code, number] of parts) {
    const piece = make("span", { class: `fill-${code}` });
    piece.style.width = `${most ? (100 * number) / most : 0}%`;
    track.append(piece);
  }
  const inside = [make("span", { class: "bar-name" }, name), track, make("span", { class: "bar-value" }, value), extra];
  const spoken = parts.map(([code, number]) => `${LANGUAGE_CODES.includes(code) ? languageName(code) + " " : ""}${count(number)}`).join(", ");
  const title = hint ? `${name}: ${spoken}. ${hint}` : `${name}: ${spoken}`;
  if (!filter) return make("li", null, make("span", { class: "bar", title }, inside));
  return make("li", null, make("button", { class: "bar", type: "button", title, onclick: () => showRows(filter) }, inside));
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
      extra: make("span", { class: sum ? "bar-loss" : "bar-loss none" }, isOff ? say("off") : sum ? `−${count(sum)}` : "0"),
    });
  });
  const drafts = bar({
    name: say("drafts"), parts: LANGUAGE_CODES.map((code) => [code, first[code]]), most: total, value: count(total), filter: {}, extra: make("span", { class: "bar-loss" }),
  });
  return chart({
    title: "funnel",
    wide: true,
    note: say("funnel-note"),
    body: make("div", null, legend(), make("ol", { class: "bars funnel" }, drafts, steps)),
    header: [say("stage"), ...LANGUAGE_CODES.flatMap((code) => [`${languageName(code)}: ${say("dropped")}`, `${languageName(code)}: ${say("left")}`])],
    rows: OVERVIEW.funnel.map(([stage, dropped, remaining]) => [nameOf("stages", stage), ...LANGUAGE_CODES.flatMap((code) => [count(dropped[code]), count(remaining[code])])]),
  });
}

function reasonChart() {
  const byLanguage = OVERVIEW.manifest.rejected_by_language;
  const sums = new Map();
  for (const code of LANGUAGE_CODES) {
    for (const [reason, number] of Object.entries(byLanguage[code] || {})) sums.set(reason, (sums.get(reason) || 0) + number);
  }
  if (!sums.size) return null;
  const ordered = [...sums].sort((one, other) => other[1] - one[1]);
  const of = (reason, code) => byLanguage[code]?.[reason] || 0;
  return chart({
    title: "reasons",
    note: say("reasons-note"),
    body: make("div", null, legend(), bars(ordered.map(([reason, sum]) => ({
      name: nameOf("reasons", reason), hint: meaningOf("reasons", reason), parts: LANGUAGE_CODES.map((code) => [code, of(reason, code)]), most: ordered[0][1], value: count(sum), filter: { reason: [reason] },
    })))),
    header: [say("reason"), ...LANGUAGE_CODES.map(languageName), say("of-all-drafts")],
    rows: ordered.map(([reason, sum]) => [`${nameOf("reasons", reason)} (${reason})`, ...LANGUAGE_CODES.map((code) => count(of(reason, code))), share(sum, OVERVIEW.manifest.generated)]),
  });
}

/** Bars, the longest twelve at first. */
function bars(items) {
  const list = make("ul", { class: "bars" }, items.slice(0, 12).map(bar));
  if (items.length <= 12) return list;
  const more = make("button", { class: "quiet", type: "button" }, say("show-all", { count: count(items.length) }));
  more.addEventListener("click", () => {
    list.append(...items.slice(12).map(bar));
    more.remove();
  });
  return make("div", null, list, more);
}

/** Task types or strategies of the kept records, by language. */
function kindChart(title, field, facet, figures) {
  const sums = new Map();
  for (const code of LANGUAGE_CODES) {
    for (const [kind, number] of Object.entries(figures[code]?.[field] || {})) sums.set(kind, (sums.get(kind) || 0) + number);
  }
  if (sums.size < 2) return null;
  const ordered = [...sums].sort((one, other) => other[1] - one[1]);
  const of = (kind, code) => figures[code]?.[field][kind] || 0;
  return chart({
    title,
    note: say(`${title}-note`),
    body: make("div", null, legend(), bars(ordered.map(([kind, sum]) => ({
      name: nameOf(title, kind), parts: LANGUAGE_CODES.map((code) => [code, of(kind, code)]), most: ordered[0][1], value: count(sum), filter: { status: ["kept"], [facet]: [kind] },
    })))),
    header: [say(facet), ...LANGUAGE_CODES.map(languageName)],
    rows: ordered.map(([kind]) => [nameOf(title, kind), ...LANGUAGE_CODES.map((code) => count(of(kind, code)))]),
  });
}

const PLOT = { width: 480, height: 150, left: 4, right: 4, top: 8, bottom: 20 };

/** A histogram; `series` are [class, counts], drawn one above the other. */
function histogram({ edges, series, label, text, onpick, ticks }) {
  const sums = series[0][1].map((_, place) => series.reduce((all, [, counts]) => all + counts[place], 0));
  const most = Math.max(1, ...sums);
  const inner = PLOT.width - PLOT.left - PLOT.right;
  const step = inner / sums.length;
  const tall = PLOT.height - PLOT.top - PLOT.bottom;
  const svg = draw("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", "aria-label": label, class: "plot" });
  svg.append(draw("line", { x1: 0, x2: PLOT.width, y1: PLOT.top + tall + 0.5, y2: PLOT.top + tall + 0.5, class: "axis" }));
  sums.forEach((sum, place) => {
    let below = 0;
    const x = PLOT.left + place * step;
    const group = draw("g", { class: onpick ? "bin pickable" : "bin" }, draw("title", null, text(edges[place], edges[place + 1], series.map(([, counts]) => counts[place]))));
    group.append(draw("rect", { x, y: PLOT.top, width: step, height: tall, class: "bin-ground" }));
    for (const [kind, counts] of series) {
      const height = (tall * counts[place]) / most;
      below += height;
      group.append(draw("rect", { x: x + 0.5, y: PLOT.top + tall - below, width: Math.max(0.5, step - 1), height, class: `bin-${kind}` }));
    }
    if (onpick && sum) group.addEventListener("click", () => onpick(edges[place], edges[place + 1]));
    svg.append(group);
  });
  for (const [place, name] of ticks) {
    const x = PLOT.left + place * step;
    const anchor = place === 0 ? "start" : place >= sums.length ? "end" : "middle";
    svg.append(draw("text", { x, y: PLOT.height - 5, "text-anchor": anchor, class: "tick" }, name));
  }
  return svg;
}

function lengthChart(code, figures) {
  if (!figures || !Object.keys(figures.lengths).length) return null;
  const fields = ["instruction", "input", "output"].filter((field) => figures.lengths[field]);
  const plots = fields.map((field) => {
    const { histogram: shape, median, p5, p95, filled } = figures.lengths[field];
    const cut = trimmed(shape);
    const ticks = cut.edges.map((edge, place) => [place, count(Math.round(edge))]).filter((_, place) => place % Math.max(1, Math.ceil(cut.counts.length / 5)) === 0);
    return make(
      "div",
      { class: "plot-row" },
      make("p", { class: "plot-name" }, make("strong", null, say(field)), " ", make("span", { class: "note" }, say("length-note", { median: count(median), low: count(p5), high: count(p95), filled: count(filled) }))),
      histogram({
        edges: cut.edges, series: [[code, cut.counts]], ticks, label: `${say(field)}: ${say("length-note", { median: count(median), low: count(p5), high: count(p95), filled: count(filled) })}`,
        text: (low, high, [number]) => say("length-bin", { low: count(Math.round(low)), high: count(Math.round(high)), count: count(number) }),
      }),
    );
  });
  const part = chart({
    title: `lengths-${code}`,
    note: say("lengths-note"),
    body: make("div", null, plots),
    header: [say("column"), ...["filled", "shortest", "p5", "median", "p95", "longest"].map((key) => say(key))],
    rows: fields.map((field) => [say(field), ...["filled", "shortest", "p5", "median", "p95", "longest"].map((key) => count(figures.lengths[field][key]))]),
  });
  return part;
}

/** Cut empty bins off both ends. */
function trimmed({ edges, counts }) {
  let start = 0;
  let end = counts.length;
  while (start < end - 1 && !counts[start]) start++;
  while (end > start + 1 && !counts[end - 1]) end--;
  return { edges: edges.slice(start, end + 1), counts: counts.slice(start, end) };
}

function phraseChart(code, figures) {
  const diversity = figures?.diversity;
  if (!diversity || !diversity.phrases.length) return null;
  const groups = new Map();
  for (const phrase of diversity.phrases) {
    const head = code === "ko" ? phrase.noun || phrase.verb : phrase.verb;
    if (!groups.has(head)) groups.set(head, []);
    groups.get(head).push(phrase);
  }
  const sum = (phrases) => phrases.reduce((all, one) => all + one.count, 0);
  const ordered = [...groups].sort((one, other) => sum(other[1]) - sum(one[1])).slice(0, 14);
  const tail = (phrase) => (code === "ko" ? (phrase.noun ? phrase.verb : "") : phrase.noun);
  const list = make("ul", { class: "phrases" }, ordered.map(([head, phrases]) =>
    make("li", null,
      make("span", { class: "phrase-head", title: count(sum(phrases)) }, head, make("span", { class: "number" }, count(sum(phrases)))),
      make("span", { class: "phrase-tails" }, phrases.filter(tail).slice(0, 7).map((one) =>
        make("button", { class: "chip", type: "button", title: `${head} ${tail(one)}: ${count(one.count)}`, onclick: () => showRows({ status: ["kept"], language: [code] }, phraseQuery(code, head, tail(one))) }, tail(one), make("span", { class: "number" }, count(one.count))))))));
  return chart({
    title: `phrases-${code}`,
    note: say("phrases-note", { parsed: count(diversity.parsed), looked: count(diversity.looked_at), one: fixed(diversity.distinct_1, 2), two: fixed(diversity.distinct_2, 2) }),
    body: list,
    header: [say(`phrase-${code}`), say("count")],
    rows: diversity.phrases.slice(0, 100).map((one) => [code === "ko" ? `${one.noun} ${one.verb}`.trim() : `${one.verb} ${one.noun}`.trim(), count(one.count)]),
  });
}

/** Korean verbs are inflected in the records: search their stems. */
function phraseQuery(code, head, tail) {
  return code === "ko" ? `${head} ${tail.replace(/(하|되)?다$/, "")}`.trim() : `${head} ${tail}`.trim();
}

function similarityChart(figures) {
  const codes = LANGUAGE_CODES.filter((code) => figures[code]?.similarity);
  if (!codes.length) return null;
  const of = (code) => figures[code].similarity;
  const { edges } = of(codes[0]).histogram;
  return chart({
    title: "similarity",
    note: codes.map((code) => say("similarity-note", { language: languageName(code), median: fixed(of(code).median, 2), high: fixed(of(code).p95, 2), count: count(of(code).looked_at) })).join(" "),
    body: make("div", null, legend(), histogram({
      edges,
      series: codes.map((code) => [code, of(code).histogram.counts]),
      label: say("similarity"),
      ticks: edges.map((edge, place) => [place, fixed(edge, 1)]).filter((_, place) => place % 4 === 0),
      text: (low, high, numbers) => `${fixed(low, 2)}–${fixed(high, 2)}: ${codes.map((code, place) => `${languageName(code)} ${count(numbers[place])}`).join(", ")}`,
      onpick: (low, high) => showRows({ status: ["kept"] }, "", { similarity: [low, high] }),
    })),
    header: [say("similarity-of"), ...codes.map(languageName)],
    rows: edges.slice(0, -1).map((edge, place) => [`${fixed(edge, 2)}–${fixed(edges[place + 1], 2)}`, ...codes.map((code) => count(of(code).histogram.counts[place]))]),
  });
}

function roundChart() {
  const rounds = OVERVIEW.statistics.rounds;
  if (rounds.length < 2) return null;
  // Long runs have thousands of rounds: neighbours share a bar.
  const size = Math.ceil(rounds.length / 60);
  const grouped = [];
  for (let start = 0; start < rounds.length; start += size) {
    const part = rounds.slice(start, start + size);
    grouped.push({ first: start + 1, last: start + part.length, drafts: total(part, "drafts"), admitted: total(part, "admitted") });
  }
  return chart({
    title: "rounds",
    note: say("rounds-note"),
    body: make("div", null,
      make("p", { class: "legend" }, make("span", { class: "key-kept" }, say("admitted")), make("span", { class: "key-rest" }, say("not-admitted"))),
      histogram({
        edges: [...grouped.map((one) => one.first), rounds.length + 1],
        series: [["kept", grouped.map((one) => one.admitted)], ["rest", grouped.map((one) => Math.max(0, one.drafts - one.admitted))]],
        label: say("rounds"),
        ticks: [[0, "1"], [grouped.length, count(rounds.length)]],
        text: (low, high, [admitted, rest]) => say("round-bin", { round: high - 1 > low ? `${low}–${high - 1}` : `${low}`, admitted: count(admitted), drafts: count(admitted + rest), share: share(admitted, admitted + rest) }),
      })),
    header: [say("round"), say("drafts"), say("admitted"), say("yield")],
    rows: grouped.map((one) => [one.first === one.last ? `${one.first}` : `${one.first}–${one.last}`, count(one.drafts), count(one.admitted), share(one.admitted, one.drafts)]),
  });
}

function total(rows, field) {
  return rows.reduce((sum, row) => sum + row[field], 0);
}

function judgeChart() {
  const judge = OVERVIEW.manifest.judge;
  if (!judge) return null;
  const means = Object.entries(judge.means).filter(([, mean]) => mean !== null);
  if (!means.length) return null;
  return chart({
    title: "judge",
    note: say("judge-note", { model: judge.model, count: count(judge.judged) }),
    body: make("ul", { class: "bars" }, means.map(([criterion, mean]) => bar({ name: say(criterion), parts: [["accent", mean]], most: 5, value: fixed(mean, 2), filter: { status: ["kept"] } }))),
    header: [say("criterion"), say("mean")],
    rows: means.map(([criterion, mean]) => [say(criterion), fixed(mean, 2)]),
  });
}
