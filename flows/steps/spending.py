"""Ask a person before a generation run spends more than it may unasked.

What a run costs is known only from its first answers, so the pilot runs first, itself under a cap
of what may be spent unasked, and its forecast is what the person reads. The upper end of the
forecast's 95 % interval counts and not its mean: a run at the mean would exceed the limit in half
of the cases. Hard caps lower it, because they hold whatever the forecast says.
"""

import math

from flows.approval import NotApprovedError, Question, approve
from flows.artifacts import make_key
from flows.engine import Engine
from flows.parameters import GenerateParams
from flows.resources import TeacherChoice
from pipeline.generation.budget.forecast import describe
from pipeline.generation.config import Price
from pipeline.generation.reports import GenerationResult
from schemas.markdown import code, plain


def may_need_approval(params: GenerateParams, price: Price | None) -> bool:
    """Whether a run could cost more than it may unasked; without a price nobody can tell."""
    if params.approval.auto_approve or price is None or not max(price.input, price.output):
        return False
    return _cap_usd(params, price) > params.approval.unapproved_usd


def tell_unknown_price(
    params: GenerateParams, teacher: TeacherChoice, price: Price | None, engine: Engine
) -> None:
    """Say that nobody will be asked, where somebody should be and no price is known."""
    is_unknown = price is None and teacher.embedded is None
    if is_unknown and not params.approval.auto_approve:
        engine.say(
            f"No price is known for {teacher.model}, so nobody is asked before money is spent: set "
            "price if this teacher charges, e.g. {input: 0.4, output: 1.6} US dollars for a "
            "million tokens."
        )


def make_pilot(params: GenerateParams) -> GenerateParams | None:
    """Make the parameters of the pilot that foretells the costs; None when there can be none.

    A batch is sent as a whole, and without money no teacher answers.
    """
    limit = params.approval.unapproved_usd
    if params.transport == "batch" or not limit:
        return None
    usd = limit if params.max_usd is None else min(limit, params.max_usd)
    return params.model_copy(update={"pilot_only": True, "max_usd": usd})


def exceeds_limit(params: GenerateParams, price: Price, pilot: GenerationResult) -> bool:
    """Whether the run, after its pilot, may cost more than it may unasked.

    A pilot that ended for another reason than being done has ended the run, unless it was its own
    cap on the costs.
    """
    if pilot.stopped_because != "pilot-done":
        return pilot.stopped_because == "max-usd"
    if params.pilot_only:
        return False
    return _bound_usd(params, price, pilot) > params.approval.unapproved_usd


def ask_to_spend(
    params: GenerateParams,
    teacher: TeacherChoice,
    price: Price,
    pilot: GenerationResult | None,
    engine: Engine,
) -> None:
    """Go on only when a person says yes.

    Raises:
        NotApprovedError: The answer is no, or nobody can be asked.
    """
    question = make_question(params, teacher, price, pilot)
    if not approve(engine, params.approval, question):
        raise NotApprovedError(
            f"{question.title} The answer is no, so the run ends here. What was paid for is in the "
            "journal: run it again with a lower quota, or with max_usd, and it goes on from there."
        )


def make_question(
    params: GenerateParams, teacher: TeacherChoice, price: Price, pilot: GenerationResult | None
) -> Question:
    limit = params.approval.unapproved_usd
    bound = _bound_usd(params, price, pilot)
    amount = f"up to ${bound:,.2f}" if math.isfinite(bound) else f"more than ${limit:,.2f}"
    quota = ", ".join(f"{language} {count:,}" for language, count in params.quota.items() if count)
    facts = [
        f"Wanted: {quota} records under the name {code(params.name)}.",
        f"Teacher: {code(teacher.model)} at {code(teacher.address)}, ${price.input:g} for a "
        f"million tokens of prompts and ${price.output:g} of answers.",
        *_tell_pilot(pilot),
        _tell_caps(params, price),
        f"Asked because more than ${limit:,.2f} (approval.unapproved_usd) may be spent.",
        "No ends the run; what was paid for stays in the journal.",
    ]
    return Question(
        key=make_key("spend", params.name),
        title=f"Spend {amount} on drafts of {params.name}, with {teacher.model} as teacher?",
        grounds="\n".join(f"- {fact}" for fact in facts),
    )


def _tell_pilot(pilot: GenerationResult | None) -> list[str]:
    if pilot is None:
        return ["No pilot was run, so nothing is foretold."]
    totals = pilot.totals
    kept = ", ".join(f"{language} {count:,}" for language, count in totals.kept.items())
    spent = f"Spent so far: ${totals.usd or 0:,.2f} for {totals.tokens:,} tokens; kept: {kept}."
    if pilot.forecast is None:
        return [spent, "That is all that may be spent unasked, and too little for a forecast."]
    heading, *measures = describe(pilot.forecast)
    # A list within the list.
    return [spent, "\n".join([plain(heading), *(f"  - {plain(line)}" for line in measures)])]


def _tell_caps(params: GenerateParams, price: Price) -> str:
    cap = _cap_usd(params, price)
    if math.isinf(cap):
        return "No cap on the costs is set."
    return f"The run's own caps end it at ${cap:,.2f}."


def _bound_usd(params: GenerateParams, price: Price, pilot: GenerationResult | None) -> float:
    """Return the most that the run may cost, as far as it is known; infinite if it is not."""
    cap = _cap_usd(params, price)
    if pilot is None or pilot.forecast is None or pilot.forecast.usd is None:
        return cap
    return min(cap, pilot.forecast.usd.high)


def _cap_usd(params: GenerateParams, price: Price) -> float:
    caps = [math.inf]
    if params.max_usd is not None:
        caps.append(params.max_usd)
    if params.max_tokens is not None:
        caps.append(params.max_tokens * max(price.input, price.output) / 1e6)
    return min(caps)
