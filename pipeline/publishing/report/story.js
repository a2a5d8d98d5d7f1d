/* A record's view: its whole story, from its texts back to the seed tasks. */

const LONG_TEXT = 6000;

/** Counts openings, so that a story that was fetched too late is not shown for another record. */
let opening = 0;

async function drawStory(row) {
  const mine = ++opening;
  const sections = [
    verdictSection(row),
    textSection(row),
    stageSection(row),
    judgeSection(row),
    await neighbourSection(row),
  ];
  const origin = await originSections(row);
  if (mine !== opening) return;
  byId("panel").hidden = false;
  byId("story-status").replaceChildren(...[statusOf(row), splitBadge(row), decisionBadge(columns.id[row])].filter(Boolean));
  byId("story-id").textContent = columns.id[row];
  byId("story-place").textContent = say("place-of", { place: count(shown.indexOf(row) + 1), count: count(shown.length) });
  byId("story").replaceChildren(...[...sections, ...origin].flat().filter(Boolean));
  byId("story-scroll").scrollTop = 0;
}

function splitBadge(row) {
  return columns.side[row] ? make("span", { class: "badge" }, nameOf("sides", valueOf.split(row))) : null;
}

function section(title, ...children) {
  return make("section", { class: "part" }, title && make("h3", null, say(title)), children);
}

function verdictSection(row) {
  if (columns.side[row]) return null;
  const stage = valueOf.stage(row);
  const reason = valueOf.reason(row);
  const facts = [];
  if (columns.decided[row] !== null) facts.push([say("measure"), fixed(columns.decided[row], 3)]);
  if (columns.also[row].length) {
    facts.push([say("also"), columns.also[row].map((one) => nameOf("reasons", OVERVIEW.names.reasons[one])).join(", ")]);
  }
  const defect = columns.origin[row]?.[4];
  if (defect && defect !== reason) facts.push([say("defect"), nameOf("reasons", defect)]);
  return make(
    "section",
    { class: "part verdict" },
    make("h3", null, say("dropped-by", { stage: nameOf("stages", stage), reason: nameOf("reasons", reason) })),
    make("p", null, meaningOf("reasons", reason)),
    columns.detail[row] && make("p", { class: "detail" }, columns.detail[row]),
    facts.length ? factList(facts) : null,
    make("p", { class: "note code" }, `${stage} · ${reason}`),
  );
}

function factList(facts) {
  return make("dl", { class: "facts" }, facts.map(([name, value]) => [make("dt", null, name), make("dd", null, value)]));
}

function textSection(row) {
  const lengths = columns.lengths[row];
  return section("text", ["instruction", "input", "output"].map((field, place) => {
    const text = columns[field][row];
    if (!text && field === "input") return null;
    const size = lengths ? lengths[place] : text.length;
    return make(
      "div",
      { class: `text text-${field}` },
      make("h4", null, say(field), make("span", { class: "number" }, say("characters", { count: count(size) }))),
      text.trim() ? longText(text, (part) => markedText(part, terms)) : make("p", { class: "muted" }, say("empty")),
      size > text.length && make("p", { class: "note" }, say("cut", { count: count(text.length), all: count(size) })),
    );
  }));
}

/** Text with its line ends; of a very long one the beginning, and the rest on demand. */
function longText(text, nodesOf) {
  const box = make("div", { class: "prose", dir: "auto" });
  if (text.length <= LONG_TEXT) {
    box.append(...nodesOf(text));
    return box;
  }
  box.append(...nodesOf(text.slice(0, LONG_TEXT)));
  const more = make("button", { class: "quiet", type: "button" }, say("show-rest", { count: count(text.length - LONG_TEXT) }));
  more.addEventListener("click", () => {
    box.replaceChildren(...nodesOf(text));
    more.remove();
  });
  return [box, "…", more];
}

function stageSection(row) {
  const droppedBy = columns.side[row] ? null : valueOf.stage(row);
  let isOver = false;
  const steps = OVERVIEW.names.stages.map((stage) => {
    const passage = passageOf(stage, droppedBy, isOver);
    isOver ||= passage === "dropped";
    return make(
      "li",
      { class: `step ${passage}`, title: meaningOf("stages", stage) },
      make("span", { class: "step-name" }, nameOf("stages", stage)),
      make("span", { class: "step-state" }, say(`stage-${passage}`)),
    );
  });
  return section("way", make("ol", { class: "steps" }, steps));
}

function passageOf(stage, droppedBy, isOver) {
  if (stage === droppedBy) return "dropped";
  if (!OVERVIEW.asked.includes(stage)) return "off";
  return isOver ? "unasked" : "passed";
}

function judgeSection(row) {
  const grades = columns.grades[row];
  const difficulty = columns.difficulty[row];
  if (!grades && difficulty === null) return null;
  const list = (grades || []).map(([score, reason], place) =>
    make(
      "li",
      { class: "grade" },
      make("span", { class: "grade-name" }, say(["helpfulness", "correctness", "clarity"][place])),
      make("span", { class: "dots", role: "img", "aria-label": say("of-five", { score }) }, [1, 2, 3, 4, 5].map((dot) => make("i", { class: dot <= score ? "dot full" : "dot" }))),
      make("span", { class: "number" }, String(score)),
      make("span", { class: "grade-reason" }, reason),
    ));
  return section(
    "judged",
    grades && make("ul", { class: "grades" }, list),
    factList([
      ...(grades ? [[say("mean"), fixed(columns.score[row], 2)]] : []),
      ...(difficulty !== null ? [[say("difficulty"), fixed(difficulty, 3)]] : []),
    ]),
  );
}

/** The texts of a record of this version or of a seed task, by id. */
async function findTask(id) {
  const row = rowsById.get(id);
  if (row !== undefined) {
    return { row, what: say(columns.side[row] ? "kept-record" : "dropped-draft"), ...textsOf(row) };
  }
  const seed = await findSeed(id);
  return seed && { ...seed, row: -1, what: say("seed-task") };
}

function textsOf(row) {
  return { id: columns.id[row], instruction: columns.instruction[row], input: columns.input[row], output: columns.output[row] };
}

async function neighbourSection(row) {
  const collision = columns.collides[row];
  const id = collision ?? columns.nearest[row];
  if (!id) return null;
  const other = await findTask(id);
  const similarity = columns.similarity[row];
  const title = collision ? "collision" : "nearest";
  const head = make(
    "p",
    { class: "note" },
    similarity !== null ? say("similar-by", { score: fixed(similarity, 3) }) + " " : "",
    other ? taskLink(other) : say("elsewhere", { id }),
  );
  if (!other) return section(title, head);
  return section(title, head, comparison(textsOf(row), other));
}

function taskLink(task) {
  const label = [`${task.what} `, make("span", { class: "code" }, task.id)];
  if (task.row < 0) return make("span", null, label);
  return make("button", { class: "link", type: "button", onclick: () => openRow(task.row) }, label);
}

function comparison(mine, other) {
  const fields = ["instruction", "input", "output"].filter((field) => mine[field] || other[field]);
  const rows = fields.map((field) => {
    const pieces = compareTexts(mine[field].slice(0, 20_000), other[field].slice(0, 20_000));
    const isLike = shareInCommon(pieces) >= WORTH_MARKING;
    const side = (name) => make("div", { class: "prose", dir: "auto" }, isLike ? differenceNodes(pieces, name) : pieces.map((piece) => piece[name]));
    return [make("p", { class: "compare-field" }, say(field)), side("left"), side("right")];
  });
  return make("div", { class: "compare" }, make("p", { class: "compare-head" }, say("this-one")), make("p", { class: "compare-head" }, other.what), rows);
}

async function originSections(row) {
  const ids = [...(columns.origin[row]?.[0] || []), columns.completion[row]];
  const stories = await Promise.all(ids.map(findStory));
  return [
    lineageSection(row),
    await seedSection(row),
    ...stories.map((story, place) => storySection(row, story, ids[place], ids.length > 1 ? place + 1 : 0)),
    siblingSection(row),
  ];
}

function lineageSection(row) {
  const [, derivedFrom, licence, edited] = columns.origin[row] || [];
  const parent = derivedFrom ? rowsById.get(derivedFrom) : undefined;
  const code = (text) => make("span", { class: "code" }, text);
  const isImport = valueOf.strategy(row) === "import";
  return section("lineage", factList([
    [say("teacher"), valueOf.teacher(row)],
    [say("strategy"), nameOf("strategies", valueOf.strategy(row))],
    [say("task"), nameOf("tasks", valueOf.task(row))],
    [say(isImport ? "line" : "answer"), [code(columns.completion[row]), isImport ? "" : say("position", { place: columns.position[row] + 1 })]],
    ...(derivedFrom ? [[say("derived-from"), parent === undefined ? code(derivedFrom) : taskLink({ row: parent, id: derivedFrom, what: "" })]] : []),
    ...(licence ? [[say("source-licence"), licence]] : []),
    ...(edited ? [[say("edited"), say("by-a-reader")]] : []),
    ...(columns.seeds[row].length ? [[say("seed-tasks"), code(columns.seeds[row].join("  "))]] : []),
  ]));
}

async function seedSection(row) {
  const seeds = (await Promise.all(columns.seeds[row].map(findSeed))).filter(Boolean);
  if (!seeds.length) return null;
  return section("seed-tasks", seeds.map((seed) =>
    make(
      "details",
      { class: "fold" },
      make("summary", null, make("span", { class: "code" }, seed.id), " ", seed.instruction.slice(0, 160)),
      ["instruction", "input", "output"].filter((field) => seed[field]).map((field) => make("div", { class: "text" }, make("h4", null, say(field)), longText(seed[field], (part) => [part]))),
      make("p", { class: "note" }, `${nameOf("tasks", seed.task)} · ${seed.source}`),
    )));
}

function storySection(row, story, id, step) {
  const isLast = id === columns.completion[row];
  if (!story) {
    if (valueOf.strategy(row) === "import" || !isLast) return null;
    const { name, version } = OVERVIEW.manifest;
    const held = OVERVIEW.stories;
    const key = held.held + held.missing < held.looked_for ? "story-sampled" : "story-missing";
    return section("asked-and-answered", make("p", { class: "note" }, say(key, { held: count(held.held), all: count(held.looked_for) })), make("pre", { class: "command" }, `./pacaloom why ${columns.id[row]} --dataset ${name}/${version}`));
  }
  const turns = story.messages.length ? story.messages : [{ role: "raw", content: story.raw }];
  const [prompt, completion] = story.tokens;
  return make(
    "section",
    { class: "part" },
    make("h3", null, say(step ? "asked-in-step" : "asked-and-answered", { step })),
    make("details", { class: "fold" }, make("summary", null, say("prompt"), make("span", { class: "number" }, say("tokens-count", { count: count(prompt) }))), turns.map((turn) => make("div", { class: `turn ${turn.role}` }, make("h4", null, say(`role-${turn.role}`)), longText(turn.content, (part) => [part])))),
    make("h4", { class: "raw-head" }, say("raw-answer"), make("span", { class: "number" }, say("tokens-count", { count: count(completion) }), story.finish === "stop" ? "" : ` · ${story.finish}`)),
    make("div", { class: "raw" }, longText(story.text, (part) => (isLast ? markParts(part, row) : [part]))),
    story.length > story.text.length && make("p", { class: "note" }, say("cut", { count: count(story.text.length), all: count(story.length) })),
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
    const found = forms.map((form) => [text.indexOf(form, from), form.length]).find(([at]) => at >= 0) || forms.map((form) => [text.indexOf(form), form.length]).find(([at]) => at >= 0);
    if (!found || marks.some(([start, end]) => found[0] < end && found[0] + found[1] > start)) continue;
    marks.push([found[0], found[0] + found[1], field]);
    from = found[0] + found[1];
  }
  marks.sort((one, other) => one[0] - other[0]);
  const nodes = [];
  let at = 0;
  for (const [start, end, field] of marks) {
    nodes.push(text.slice(at, start), make("mark", { class: `part-${field}`, title: say(field) }, text.slice(start, end)));
    at = end;
  }
  nodes.push(text.slice(at));
  return nodes;
}

function siblingSection(row) {
  if (valueOf.strategy(row) === "import") return null;
  const siblings = siblingsOf(row).filter((one) => one !== row);
  if (!siblings.length) return null;
  return section("siblings", make("ul", { class: "siblings" }, siblings.slice(0, 50).map((one) =>
    make("li", null, make("button", { class: "sibling", type: "button", onclick: () => openRow(one) }, statusOf(one), make("span", { class: "line-title" }, columns.instruction[one].slice(0, 200) || say("no-instruction")))))));
}

/** All that the page knows of a row, as JSON. */
function toJson(row) {
  const origin = columns.origin[row] || [];
  return JSON.stringify({
    id: columns.id[row],
    kept: columns.side[row] > 0,
    ...(columns.side[row] ? { split: valueOf.split(row) } : { stage: valueOf.stage(row), reason: valueOf.reason(row), detail: columns.detail[row], score: columns.decided[row], collides_with: columns.collides[row], also: columns.also[row].map((one) => OVERVIEW.names.reasons[one]) }),
    language: valueOf.language(row),
    instruction: columns.instruction[row],
    input: columns.input[row],
    output: columns.output[row],
    provenance: { strategy: valueOf.strategy(row), teacher: valueOf.teacher(row), completion_id: columns.completion[row], position: columns.position[row], seed_ids: columns.seeds[row], task_type: valueOf.task(row), earlier_completion_ids: origin[0] || [], derived_from: origin[1] || "", source_licence: origin[2] || "", edited: origin[3] || false },
    dataset: `${OVERVIEW.manifest.name}/${OVERVIEW.manifest.version}`,
  }, null, 2);
}
