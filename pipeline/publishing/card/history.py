"""How a version is divided, and how it differs from the one before it."""

from collections import Counter
from typing import cast

from pipeline.publishing.card.page import Page
from pipeline.publishing.card.reasons import MEANINGS
from pipeline.publishing.card.speaker import percent
from pipeline.publishing.card.words import TASK_NAMES
from pipeline.publishing.statistics.drift import Shift
from schemas.markdown import code, table
from schemas.records import Language, Reason, TaskType

_MOST_SHIFTS = 20


def write_splits(page: Page) -> str:
    """Tell how many records are on each side, and what holds the sides apart."""
    manifest = page.edition.manifest
    train, validation = (manifest.splits.get(name, 0) for name in ("train", "validation"))
    rows = [["`train`", f"{train:,}"], ["`validation`", f"{validation:,}"]]
    if manifest.split_by == "lineage":
        said = page.say(
            "Divided by lineage: records that share a seed task, a document or a source record "
            "are on the same side, so that validation asks for something new. A record stays on "
            "its side when the dataset grows, unless a new record ties it to the other side.",
            "계보에 따라 나누었습니다. 시드 과제나 문서, 원본 레코드가 같은 레코드는 한쪽에만 "
            "있으므로 검증용에서는 처음 보는 것을 묻게 됩니다. 데이터셋이 커져도, 새 레코드가 "
            "양쪽을 잇지 않는 한 레코드가 속한 쪽은 바뀌지 않습니다.",
        )
    else:
        said = page.say(
            "All records hang together through the seed tasks that they share, so only the "
            "records themselves are apart. Loss on validation is lower than on tasks of another "
            "origin: do not take it for a measure of what was learnt.",
            "모든 레코드가 시드 과제로 서로 이어져 있어 레코드 단위로만 나누었습니다. 검증 "
            "손실이 출처가 다른 과제에서보다 낮게 나오므로, 이 값을 학습 성과로 보면 안 됩니다.",
        )
    header = [page.say("split", "분할"), page.say("records", "레코드(건)")]
    return page.section("Splits", "학습용과 검증용", table(header, rows, right=1), said)


def write_difference(page: Page) -> str:
    """Tell what was added, lost and changed since the version before."""
    difference = page.edition.difference
    if difference is None:
        return ""
    lost: Counter[Reason | None] = Counter(loss.reason for loss in difference.lost)
    rows = [
        [page.say("added", "새로 들어옴"), f"{len(difference.added):,}"],
        [
            page.say("of these, rejected before", "이 가운데 전에는 거절했던 것"),
            f"{len(difference.regained):,}",
        ],
        [page.say("changed", "글이 바뀜"), f"{len(difference.changed):,}"],
        [page.say("unchanged", "그대로"), f"{difference.unchanged:,}"],
        [page.say("no longer in it", "더는 없음"), f"{len(difference.lost):,}"],
    ]
    for reason, number in sorted(lost.items(), key=lambda one: (-one[1], one[0] or "")):
        why = page.say("not among the drafts", "초안에 없음")
        if reason is not None:
            why = page.say(MEANINGS[reason].en, MEANINGS[reason].ko)
        rows.append([page.say(f"– because: {why}", f"– 이유: {why}"), f"{number:,}"])
    return page.section(
        "Since the version before",
        "이전 버전과 달라진 점",
        page.say(
            f"Compared with {code(difference.older)}.", f"비교 대상: {code(difference.older)}."
        ),
        table([page.say("records", "레코드"), page.say("number", "수(건)")], rows, right=1),
        _drift(page, list(difference.drift)),
    )


def _drift(page: Page, shifts: list[Shift]) -> str:
    if not shifts:
        return page.say(
            "No figure moved by more than chance would move it.",
            "우연으로 볼 수 없을 만큼 움직인 수치는 없습니다.",
        )
    lines = [f"- {_tell(page, shift)}" for shift in shifts[:_MOST_SHIFTS]]
    if len(shifts) > _MOST_SHIFTS:
        others = f"{len(shifts) - _MOST_SHIFTS:,}"
        lines.append(page.say(f"- and {others} more", f"- 외 {others}가지"))
    said = page.say(
        "What moved by more than chance, gaps first:",
        "우연으로 볼 수 없을 만큼 달라진 점입니다. 빠지거나 줄어든 것부터 적습니다.",
    )
    return "\n".join([said, "", *lines])


def _tell(page: Page, shift: Shift) -> str:
    whose = "" if shift.language is None else f"{page.speaker.language_name(shift.language)}, "
    if shift.subject == "length":
        before, after = f"{shift.before:,.0f}", f"{shift.after:,.0f}"
        what = page.say(
            f"median length of {code(shift.name)} in characters",
            f"{code(shift.name)} 길이의 중앙값(글자)",
        )
    elif shift.subject == "similarity":
        before, after = f"{shift.before:.2f}", f"{shift.after:.2f}"
        what = page.say(
            "median similarity to the nearest neighbour", "가장 비슷한 레코드와의 유사도 중앙값"
        )
    else:
        before, after = percent(shift.before, 1), percent(shift.after, 1)
        what = _name_share(page, shift)
    return f"{whose}{what}: {before} → {after}"


def _name_share(page: Page, shift: Shift) -> str:
    if shift.subject == "repetition":
        return page.say(
            "chance that two records ask for the same", "두 레코드가 같은 것을 시킬 확률"
        )
    if shift.subject == "language":
        name = page.speaker.language_name(cast("Language", shift.name))
        return page.say(f"share of {name} records", f"{name} 레코드의 비율")
    if shift.subject == "task-type":
        name = TASK_NAMES[cast("TaskType", shift.name)][page.speaker.language]
        return page.say(f"share of {name} tasks", f"{name} 과제의 비율")
    return page.say(f"share of the strategy {code(shift.name)}", f"전략 {code(shift.name)}의 비율")
