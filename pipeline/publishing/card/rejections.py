"""What became of the drafts: the funnel, and each reason in words with a real example."""

from pipeline.publishing.card.page import Page
from pipeline.publishing.card.reasons import MEANINGS, WITHHELD
from pipeline.publishing.card.speaker import count, percent
from pipeline.publishing.card.words import STAGE_NAMES, STAGE_QUESTIONS
from pipeline.publishing.funnel import count_funnel
from schemas.markdown import code, excerpt, fence, show_record, table
from schemas.records import Reason, Rejection, Stage

_EXAMPLES = 8


def write_funnel(page: Page) -> str:
    """Tell stage by stage how many drafts were dropped and how many went on."""
    manifest = page.edition.manifest
    if not manifest.generated:
        nothing = page.say("There were no drafts.", "초안이 없었습니다.")
        return page.section("From drafts to records", "초안에서 레코드까지", nothing)
    rows: list[list[str]] = []
    for step in count_funnel(page.kept, page.edition.rejected):
        if not step.dropped_count and not _has_run(page, step.stage):
            continue
        row = [f"{STAGE_NAMES[step.stage][page.speaker.language]}: {_question(page, step.stage)}"]
        for language in page.languages:
            row += [f"{step.dropped[language]:,}", f"{step.remaining[language]:,}"]
        rows.append(row)
    header = [page.say("stage, in order", "단계(차례대로)")]
    for language in page.languages:
        name = page.speaker.language_name(language)
        header += [page.say(f"{name} dropped", f"{name} 버림")]
        header += [page.say(f"{name} left", f"{name} 남음")]
    return page.section(
        "From drafts to records",
        "초안에서 레코드까지",
        page.picture("funnel"),
        page.say("Numbers are drafts.", "단위는 건입니다."),
        table(header, rows, right=len(header) - 1),
        _restored(page),
    )


def write_reasons(page: Page) -> str:
    """Explain the reasons that occurred, the commonest first, and show drafts."""
    manifest = page.edition.manifest
    if not manifest.rejected:
        nothing = page.say("Nothing was rejected.", "거절한 초안이 없습니다.")
        return page.section("Why drafts were rejected", "초안을 거절한 이유", nothing)
    rows = [
        [
            _explain(page, reason),
            code(reason),
            *(
                f"{manifest.rejected_by_language.get(language, {}).get(reason, 0):,}"
                for language in page.languages
            ),
            percent(number, manifest.generated),
        ]
        for reason, number in manifest.rejected.items()
    ]
    names = [page.speaker.language_name(language) for language in page.languages]
    header = page.say("what was found", "이유"), page.say("reason", "이유 코드")
    share = page.say("share of drafts", "초안 중 비율")
    return page.section(
        "Why drafts were rejected",
        "초안을 거절한 이유",
        page.say(
            "Each rejected draft has one reason, the first that was found; all are in "
            "`rejected.parquet`. Numbers are drafts.",
            "거절한 초안마다 맨 먼저 걸린 이유 하나를 적었으며 모두 `rejected.parquet`에 있습니다. "
            "단위는 건입니다.",
        ),
        table([*header, *names, share], rows, right=len(names) + 1),
        _examples(page),
    )


def _restored(page: Page) -> str:
    """Own up to what the table cannot show: it follows where drafts ended, not all on their way."""
    review = page.edition.manifest.review
    if review is None or not review.restored:
        return ""
    drafts = count(review.restored, "draft", "drafts")
    return page.say(
        f"{drafts} that an earlier stage had dropped, and readers brought back, "
        f"{'is' if review.restored == 1 else 'are'} counted as left.",
        f"앞 단계에서 버렸다가 사람이 되살린 초안 {review.restored:,}건은 남은 것으로 셉니다.",
    )


def _has_run(page: Page, stage: Stage) -> bool:
    manifest = page.edition.manifest
    # Both are stages of every curation, and idle until somebody is there to judge or to read.
    if (stage == "judge" and manifest.judge is None) or (
        stage == "review" and manifest.review is None
    ):
        return False
    stages = manifest.curation.get("stage")
    return not isinstance(stages, list) or stage in stages


def _question(page: Page, stage: Stage) -> str:
    return STAGE_QUESTIONS[stage][page.speaker.language]


def _explain(page: Page, reason: Reason) -> str:
    meaning = MEANINGS[reason]
    return page.say(meaning.en, meaning.ko)


def _examples(page: Page) -> str:
    """Show one draft for each of the commonest reasons, folded away."""
    commonest = [reason for reason in page.edition.manifest.rejected if reason not in WITHHELD]
    shown = commonest[:_EXAMPLES]
    firsts: dict[Reason, Rejection] = {}
    for rejection in page.edition.rejected:
        known = firsts.get(rejection.reason)
        if known is None or (
            known.draft.language != page.speaker.language
            and rejection.draft.language == page.speaker.language
        ):
            firsts[rejection.reason] = rejection
    # Only words of ours stand in HTML; what a teacher wrote stays in the fence.
    folded = [
        f"<details>\n<summary>{_explain(page, reason)}</summary>\n\n"
        f"{_show(firsts[reason])}\n\n</details>"
        for reason in shown
        if reason in firsts
    ]
    withheld = WITHHELD & set(page.edition.manifest.rejected)
    if withheld:
        folded.append(
            page.say(
                "Drafts with personal data or keys are not shown here.",
                "개인정보나 키가 든 초안은 여기에 싣지 않습니다.",
            )
        )
    if not folded:
        return ""
    said = page.say("Real examples, one for each reason:", "이유마다 실제 사례 하나씩입니다.")
    return "\n\n".join([said, *folded])


def _show(rejection: Rejection) -> str:
    draft = rejection.draft
    found = excerpt(rejection.detail)
    return fence(f"→ {found}\n\n" + show_record(draft.instruction, draft.input, draft.output))
