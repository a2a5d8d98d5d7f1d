/* The overview's charts of how things are spread: lengths, phrases, similarity, rounds, scores. */

function lengthChart(code, figures) {
  if (!figures || !Object.keys(figures.lengths).length) return null;
  const fields = ["instruction", "input", "output"].filter((field) => figures.lengths[field]);
  const plots = fields.map((field) => {
    const { histogram: shape, median, p5, p95, filled } = figures.lengths[field];
    const cut = trimmed(shape);
    const ticks = cut.edges
      .map((edge, place) => [place, count(Math.round(edge))])
      .filter((_, place) => place % Math.max(1, Math.ceil(cut.counts.length / 5)) === 0);
    return make(
      "div",
      { class: "plot-row" },
      make(
        "p",
        { class: "plot-name" },
        make("strong", null, say(field)),
        " ",
        make(
          "span",
          { class: "note" },
          say("length-note", {
            median: count(median),
            low: count(p5),
            high: count(p95),
            filled: count(filled),
          }),
        ),
      ),
      histogram({
        edges: cut.edges,
        series: [[code, cut.counts]],
        ticks,
        label: `${say(field)}: ${say("length-note", { median: count(median), low: count(p5), high: count(p95), filled: count(filled) })}`,
        text: (low, high, [number]) =>
          say("length-bin", {
            low: count(Math.round(low)),
            high: count(Math.round(high)),
            count: count(number),
          }),
      }),
    );
  });
  const part = chart({
    title: `lengths-${code}`,
    note: say("lengths-note"),
    body: make("div", null, plots),
    header: [
      say("column"),
      ...["filled", "shortest", "p5", "median", "p95", "longest"].map((key) => say(key)),
    ],
    rows: fields.map((field) => [
      say(field),
      ...["filled", "shortest", "p5", "median", "p95", "longest"].map((key) =>
        count(figures.lengths[field][key]),
      ),
    ]),
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
  const list = make(
    "ul",
    { class: "phrases" },
    ordered.map(([head, phrases]) =>
      make(
        "li",
        null,
        make(
          "span",
          { class: "phrase-head", title: count(sum(phrases)) },
          head,
          make("span", { class: "number" }, count(sum(phrases))),
        ),
        make(
          "span",
          { class: "phrase-tails" },
          phrases
            .filter(tail)
            .slice(0, 7)
            .map((one) =>
              make(
                "button",
                {
                  class: "chip",
                  type: "button",
                  title: `${head} ${tail(one)}: ${count(one.count)}`,
                  onclick: () =>
                    showRows(
                      { status: ["kept"], language: [code] },
                      phraseQuery(code, head, tail(one)),
                    ),
                },
                tail(one),
                make("span", { class: "number" }, count(one.count)),
              ),
            ),
        ),
      ),
    ),
  );
  return chart({
    title: `phrases-${code}`,
    note: say("phrases-note", {
      parsed: count(diversity.parsed),
      looked: count(diversity.looked_at),
      one: fixed(diversity.distinct_1, 2),
      two: fixed(diversity.distinct_2, 2),
    }),
    body: list,
    header: [say(`phrase-${code}`), say("count")],
    rows: diversity.phrases
      .slice(0, 100)
      .map((one) => [
        code === "ko" ? `${one.noun} ${one.verb}`.trim() : `${one.verb} ${one.noun}`.trim(),
        count(one.count),
      ]),
  });
}

/** Korean verbs are inflected in the records: search their stems. */
function phraseQuery(code, head, tail) {
  return code === "ko"
    ? `${head} ${tail.replace(/(하|되)?다$/, "")}`.trim()
    : `${head} ${tail}`.trim();
}

function similarityChart(figures) {
  const codes = LANGUAGE_CODES.filter((code) => figures[code]?.similarity);
  if (!codes.length) return null;
  const of = (code) => figures[code].similarity;
  const { edges } = of(codes[0]).histogram;
  return chart({
    title: "similarity",
    note: codes
      .map((code) =>
        say("similarity-note", {
          language: languageName(code),
          median: fixed(of(code).median, 2),
          high: fixed(of(code).p95, 2),
          count: count(of(code).looked_at),
        }),
      )
      .join(" "),
    body: make(
      "div",
      null,
      legend(),
      histogram({
        edges,
        series: codes.map((code) => [code, of(code).histogram.counts]),
        label: say("similarity"),
        ticks: edges
          .map((edge, place) => [place, fixed(edge, 1)])
          .filter((_, place) => place % 4 === 0),
        text: (low, high, numbers) =>
          `${fixed(low, 2)}–${fixed(high, 2)}: ${codes.map((code, place) => `${languageName(code)} ${count(numbers[place])}`).join(", ")}`,
        onpick: (low, high) => showRows({ status: ["kept"] }, "", { similarity: [low, high] }),
      }),
    ),
    header: [say("similarity-of"), ...codes.map(languageName)],
    rows: edges
      .slice(0, -1)
      .map((edge, place) => [
        `${fixed(edge, 2)}–${fixed(edges[place + 1], 2)}`,
        ...codes.map((code) => count(of(code).histogram.counts[place])),
      ]),
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
    grouped.push({
      first: start + 1,
      last: start + part.length,
      drafts: total(part, "drafts"),
      admitted: total(part, "admitted"),
    });
  }
  return chart({
    title: "rounds",
    note: say("rounds-note"),
    body: make(
      "div",
      null,
      make(
        "p",
        { class: "legend" },
        make("span", { class: "key-kept" }, say("admitted")),
        make("span", { class: "key-rest" }, say("not-admitted")),
      ),
      histogram({
        edges: [...grouped.map((one) => one.first), rounds.length + 1],
        series: [
          ["kept", grouped.map((one) => one.admitted)],
          ["rest", grouped.map((one) => Math.max(0, one.drafts - one.admitted))],
        ],
        label: say("rounds"),
        ticks: [
          [0, "1"],
          [grouped.length, count(rounds.length)],
        ],
        text: (low, high, [admitted, rest]) =>
          say("round-bin", {
            round: high - 1 > low ? `${low}–${high - 1}` : `${low}`,
            admitted: count(admitted),
            drafts: count(admitted + rest),
            share: share(admitted, admitted + rest),
          }),
      }),
    ),
    header: [say("round"), say("drafts"), say("admitted"), say("yield")],
    rows: grouped.map((one) => [
      one.first === one.last ? `${one.first}` : `${one.first}–${one.last}`,
      count(one.drafts),
      count(one.admitted),
      share(one.admitted, one.drafts),
    ]),
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
    body: make(
      "ul",
      { class: "bars" },
      means.map(([criterion, mean]) =>
        bar({
          name: say(criterion),
          parts: [["accent", mean]],
          most: 5,
          value: fixed(mean, 2),
          filter: { status: ["kept"] },
        }),
      ),
    ),
    header: [say("criterion"), say("mean")],
    rows: means.map(([criterion, mean]) => [say(criterion), fixed(mean, 2)]),
  });
}
