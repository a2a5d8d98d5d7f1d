/* What the gate decided, by which of its checks, and what was asked. */

const MARKS = { pass: "✓", hold: "…", reject: "✕", "not-measured": "–" };

function drawVerdict() {
  const verdict = REPORT.verdict;
  const word = verdict ? verdict.verdict : "none";
  byId("verdict").className = `card verdict ${word}`;
  byId("verdict").replaceChildren(
    ...[
      make("p", { class: "verdict-word" }, nameOf("verdicts", word)),
      make("p", { class: "verdict-meaning" }, meaningOf("verdicts", word)),
      versus(),
      verdict?.items_needed
        ? make("p", { class: "needed" }, say("needed", { count: count(verdict.items_needed) }))
        : null,
      verdict ? reasonsOf(verdict) : null,
      REPORT.no_verdict ? make("p", { lang: "en", dir: "auto" }, REPORT.no_verdict) : null,
      verdict?.checks.length ? checksOf(verdict) : null,
      make("p", { class: "note asked" }, describeAsked()),
      REPORT.template_note
        ? make("p", { class: "note", lang: "en", dir: "auto" }, REPORT.template_note)
        : null,
    ].filter(Boolean),
  );
}

function versus() {
  const row = (role, name) => [make("dt", null, say(role)), make("dd", { dir: "auto" }, name)];
  return make(
    "dl",
    { class: "versus" },
    row("challenger", REPORT.verdict?.challenger ?? REPORT.challenger),
    row("compared-with", REPORT.verdict?.champion ?? REPORT.baseline),
  );
}

function reasonsOf(verdict) {
  if (!verdict.reasons.length) return null;
  return make(
    "div",
    { class: "reasons" },
    make("h2", null, say("what-decided")),
    make(
      "ul",
      { lang: "en" },
      verdict.reasons.map((reason) => make("li", { dir: "auto" }, reason)),
    ),
  );
}

/** All checks; those that decided stand out. */
function checksOf(verdict) {
  const lines = verdict.checks.map((check) => {
    const decided = verdict.reasons.includes(check.reason);
    return make(
      "li",
      { class: `check ${check.outcome}${decided ? " decided" : ""}` },
      make("span", { class: "check-mark", "aria-hidden": "true" }, MARKS[check.outcome]),
      make(
        "span",
        { class: "check-name" },
        nameOf("checks", check.name),
        make("span", { class: "check-outcome" }, nameOf("outcomes", check.outcome)),
      ),
      make(
        "span",
        { class: "check-text" },
        make("span", { class: "note" }, meaningOf("checks", check.name)),
        make("span", { lang: "en", dir: "auto" }, check.reason),
      ),
    );
  });
  return make("div", null, make("h2", null, say("checks")), make("ul", { class: "checks" }, lines));
}

function describeAsked() {
  return say("asked", {
    models: count(OVERVIEW.models.length),
    tasks: count(distinct(REPORT.matrix.map((row) => row.task)).length),
    answers: count(OVERVIEW.blocks.reduce((sum, block) => sum + block.rows, 0)),
    wordings: count(REPORT.wordings),
    draws: count(REPORT.draws),
    rule: nameOf("rules", REPORT.rule),
  });
}
