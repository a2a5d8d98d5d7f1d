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
  byId("story-status").replaceChildren(
    ...[statusOf(row), splitBadge(row), decisionBadge(columns.id[row])].filter(Boolean),
  );
  byId("story-id").textContent = columns.id[row];
  byId("story-place").textContent = say("place-of", {
    place: count(shown.indexOf(row) + 1),
    count: count(shown.length),
  });
  byId("story").replaceChildren(...[...sections, ...origin].flat().filter(Boolean));
  byId("story-scroll").scrollTop = 0;
}

function splitBadge(row) {
  return columns.side[row]
    ? make("span", { class: "badge" }, nameOf("sides", valueOf.split(row)))
    : null;
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
    facts.push([
      say("also"),
      columns.also[row].map((one) => nameOf("reasons", OVERVIEW.names.reasons[one])).join(", "),
    ]);
  }
  const defect = columns.origin[row]?.[4];
  if (defect && defect !== reason) facts.push([say("defect"), nameOf("reasons", defect)]);
  return make(
    "section",
    { class: "part verdict" },
    make(
      "h3",
      null,
      say("dropped-by", { stage: nameOf("stages", stage), reason: nameOf("reasons", reason) }),
    ),
    make("p", null, meaningOf("reasons", reason)),
    columns.detail[row] && make("p", { class: "detail" }, columns.detail[row]),
    facts.length ? factList(facts) : null,
    make("p", { class: "note code" }, `${stage} · ${reason}`),
  );
}

function factList(facts) {
  return make(
    "dl",
    { class: "facts" },
    facts.map(([name, value]) => [make("dt", null, name), make("dd", null, value)]),
  );
}

function textSection(row) {
  const lengths = columns.lengths[row];
  return section(
    "text",
    ["instruction", "input", "output"].map((field, place) => {
      const text = columns[field][row];
      if (!text && field === "input") return null;
      const size = lengths ? lengths[place] : text.length;
      return make(
        "div",
        { class: `text text-${field}` },
        make(
          "h4",
          null,
          say(field),
          make("span", { class: "number" }, say("characters", { count: count(size) })),
        ),
        text.trim()
          ? longText(text, (part) => markedText(part, terms))
          : make("p", { class: "muted" }, say("empty")),
        size > text.length &&
          make("p", { class: "note" }, say("cut", { count: count(text.length), all: count(size) })),
      );
    }),
  );
}

/** Text with its line ends; of a very long one the beginning, and the rest on demand. */
function longText(text, nodesOf) {
  const box = make("div", { class: "prose", dir: "auto" });
  if (text.length <= LONG_TEXT) {
    box.append(...nodesOf(text));
    return box;
  }
  box.append(...nodesOf(text.slice(0, LONG_TEXT)));
  const more = make(
    "button",
    { class: "quiet", type: "button" },
    say("show-rest", { count: count(text.length - LONG_TEXT) }),
  );
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
  const note = hasReadersWord(row) && make("p", { class: "note" }, say("readers-word"));
  return section("way", make("ol", { class: "steps" }, steps), note);
}

/** Readers' decisions that this version applies; those of a review under way are not applied yet. */
function hasReadersWord(row) {
  const isEdited = (columns.origin[row] || [])[3];
  return columns.side[row] && !OVERVIEW.reviewing && (isEdited || decisions.has(columns.id[row]));
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
      make(
        "span",
        { class: "dots", role: "img", "aria-label": say("of-five", { score }) },
        [1, 2, 3, 4, 5].map((dot) => make("i", { class: dot <= score ? "dot full" : "dot" })),
      ),
      make("span", { class: "number" }, String(score)),
      make("span", { class: "grade-reason" }, reason),
    ),
  );
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
  return {
    id: columns.id[row],
    instruction: columns.instruction[row],
    input: columns.input[row],
    output: columns.output[row],
  };
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
    const side = (name, who) =>
      make(
        "div",
        { class: "prose", dir: "auto", "data-who": who },
        isLike ? differenceNodes(pieces, name) : pieces.map((piece) => piece[name]),
      );
    return [
      make("p", { class: "compare-field" }, say(field)),
      side("left", say("this-one")),
      side("right", other.what),
    ];
  });
  return make(
    "div",
    { class: "compare" },
    make("p", { class: "compare-head" }, say("this-one")),
    make("p", { class: "compare-head" }, other.what),
    rows,
  );
}

/** All that the page knows of a row, as JSON. */
function toJson(row) {
  const origin = columns.origin[row] || [];
  return JSON.stringify(
    {
      id: columns.id[row],
      kept: columns.side[row] > 0,
      ...(columns.side[row]
        ? { split: valueOf.split(row) }
        : {
            stage: valueOf.stage(row),
            reason: valueOf.reason(row),
            detail: columns.detail[row],
            score: columns.decided[row],
            collides_with: columns.collides[row],
            also: columns.also[row].map((one) => OVERVIEW.names.reasons[one]),
          }),
      language: valueOf.language(row),
      instruction: columns.instruction[row],
      input: columns.input[row],
      output: columns.output[row],
      provenance: {
        strategy: valueOf.strategy(row),
        teacher: valueOf.teacher(row),
        completion_id: columns.completion[row],
        position: columns.position[row],
        seed_ids: columns.seeds[row],
        task_type: valueOf.task(row),
        earlier_completion_ids: origin[0] || [],
        derived_from: origin[1] || "",
        source_licence: origin[2] || "",
        edited: origin[3] || false,
      },
      dataset: `${OVERVIEW.manifest.name}/${OVERVIEW.manifest.version}`,
    },
    null,
    2,
  );
}
