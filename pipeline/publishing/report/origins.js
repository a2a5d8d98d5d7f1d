/* Where a record comes from: seed tasks, prompt, raw answer, and what else came from it. */

async function originSections(row) {
  const ids = [...(columns.origin[row]?.[0] || []), columns.completion[row]];
  const stories = await Promise.all(ids.map(findStory));
  return [
    lineageSection(row),
    await seedSection(row),
    ...stories.map((story, place) =>
      storySection(row, story, ids[place], ids.length > 1 ? place + 1 : 0),
    ),
    siblingSection(row),
  ];
}

function lineageSection(row) {
  const [, derivedFrom, licence, edited] = columns.origin[row] || [];
  const parent = derivedFrom ? rowsById.get(derivedFrom) : undefined;
  const code = (text) => make("span", { class: "code" }, text);
  const isImport = valueOf.strategy(row) === "import";
  return section(
    "lineage",
    factList([
      [say("teacher"), valueOf.teacher(row)],
      [say("strategy"), nameOf("strategies", valueOf.strategy(row))],
      [say("task"), nameOf("tasks", valueOf.task(row))],
      [
        say(isImport ? "line" : "answer"),
        [
          code(columns.completion[row]),
          isImport ? "" : say("position", { place: columns.position[row] + 1 }),
        ],
      ],
      ...(derivedFrom
        ? [
            [
              say("derived-from"),
              parent === undefined
                ? code(derivedFrom)
                : taskLink({ row: parent, id: derivedFrom, what: "" }),
            ],
          ]
        : []),
      ...(licence ? [[say("source-licence"), licence]] : []),
      ...(edited ? [[say("edited"), say("by-a-reader")]] : []),
      ...(columns.seeds[row].length
        ? [[say("seed-tasks"), code(columns.seeds[row].join("  "))]]
        : []),
    ]),
  );
}

async function seedSection(row) {
  const seeds = (await Promise.all(columns.seeds[row].map(findSeed))).filter(Boolean);
  if (!seeds.length) return null;
  return section(
    "seed-tasks",
    seeds.map((seed) =>
      make(
        "details",
        { class: "fold" },
        make(
          "summary",
          null,
          make("span", { class: "code" }, seed.id),
          " ",
          seed.instruction.slice(0, 160),
        ),
        ["instruction", "input", "output"]
          .filter((field) => seed[field])
          .map((field) =>
            make(
              "div",
              { class: "text" },
              make("h4", null, say(field)),
              longText(seed[field], (part) => [part]),
            ),
          ),
        make("p", { class: "note" }, `${nameOf("tasks", seed.task)} · ${seed.source}`),
      ),
    ),
  );
}

function storySection(row, story, id, step) {
  const isLast = id === columns.completion[row];
  if (!story) {
    if (valueOf.strategy(row) === "import" || !isLast) return null;
    const { name, version } = OVERVIEW.manifest;
    const held = OVERVIEW.stories;
    const key = held.held + held.missing < held.looked_for ? "story-sampled" : "story-missing";
    return section(
      "asked-and-answered",
      make(
        "p",
        { class: "note" },
        say(key, { held: count(held.held), all: count(held.looked_for) }),
      ),
      make(
        "pre",
        { class: "command" },
        `./pacaloom why ${columns.id[row]} --dataset ${name}/${version}`,
      ),
    );
  }
  const turns = story.messages.length ? story.messages : [{ role: "raw", content: story.raw }];
  const [prompt, completion] = story.tokens;
  return make(
    "section",
    { class: "part" },
    make("h3", null, say(step ? "asked-in-step" : "asked-and-answered", { step })),
    make(
      "details",
      { class: "fold" },
      make(
        "summary",
        null,
        say("prompt"),
        make("span", { class: "number" }, say("tokens-count", { count: count(prompt) })),
      ),
      turns.map((turn) =>
        make(
          "div",
          { class: `turn ${turn.role}` },
          make("h4", null, say(`role-${turn.role}`)),
          longText(turn.content, (part) => [part]),
        ),
      ),
    ),
    make(
      "h4",
      { class: "raw-head" },
      say("raw-answer"),
      make(
        "span",
        { class: "number" },
        say("tokens-count", { count: count(completion) }),
        story.finish === "stop" ? "" : ` · ${story.finish}`,
      ),
    ),
    make(
      "div",
      { class: "raw" },
      longText(story.text, (part) => (isLast ? markParts(part, row) : [part])),
    ),
    story.length > story.text.length &&
      make(
        "p",
        { class: "note" },
        say("cut", { count: count(story.text.length), all: count(story.length) }),
      ),
  );
}

/** The raw answer with the record's texts marked where they stand in it, as they are or in JSON. */
function markParts(text, row) {
  const marks = [];
  let from = 0;
  for (const field of ["instruction", "input", "output"]) {
    const wanted = columns[field][row];
    if (!wanted) continue;
    const forms = [wanted, JSON.stringify(wanted).slice(1, -1)];
    const found =
      forms.map((form) => [text.indexOf(form, from), form.length]).find(([at]) => at >= 0) ||
      forms.map((form) => [text.indexOf(form), form.length]).find(([at]) => at >= 0);
    if (!found || marks.some(([start, end]) => found[0] < end && found[0] + found[1] > start))
      continue;
    marks.push([found[0], found[0] + found[1], field]);
    from = found[0] + found[1];
  }
  marks.sort((one, other) => one[0] - other[0]);
  const nodes = [];
  let at = 0;
  for (const [start, end, field] of marks) {
    nodes.push(
      text.slice(at, start),
      make("mark", { class: `part-${field}`, title: say(field) }, text.slice(start, end)),
    );
    at = end;
  }
  nodes.push(text.slice(at));
  return nodes;
}

function siblingSection(row) {
  if (valueOf.strategy(row) === "import") return null;
  const siblings = siblingsOf(row).filter((one) => one !== row);
  if (!siblings.length) return null;
  return section(
    "siblings",
    make(
      "ul",
      { class: "siblings" },
      siblings
        .slice(0, 50)
        .map((one) =>
          make(
            "li",
            null,
            make(
              "button",
              { class: "sibling", type: "button", onclick: () => openRow(one) },
              statusOf(one),
              make(
                "span",
                { class: "line-title" },
                columns.instruction[one].slice(0, 200) || say("no-instruction"),
              ),
            ),
          ),
        ),
    ),
  );
}
