"""What others found of the records: the judge, readers, and the evaluation sets."""

from pathlib import PurePosixPath, PureWindowsPath

from pydantic import JsonValue

from pipeline.publishing.card.page import Page
from pipeline.publishing.card.speaker import count, percent
from schemas.manifest import JudgeReport
from schemas.markdown import code, listed, table
from schemas.records import Reason

_CRITERIA = {"helpfulness": "유용성", "correctness": "정확성", "clarity": "명료성"}
_CONTAMINATED: tuple[Reason, ...] = (
    "contaminated-exact",
    "contaminated-overlap",
    "contaminated-lineage",
)
_SETS = 10


def write_judge(page: Page) -> str:
    """Tell the judge's scores, and how far the rules say the same."""
    judge = page.edition.manifest.judge
    if judge is None:
        return ""
    rows = [
        *([page.say(name, _CRITERIA.get(name, name)), _score(page, mean)]
          for name, mean in judge.means.items()),
        [page.say("mean of the three", "세 점수의 평균"), _score(page, judge.mean_score)],
        [
            page.say(
                f"the same of {judge.audited:,} that the rules dropped",
                f"규칙이 버린 {judge.audited:,}건의 평균",
            ),
            _score(page, judge.audited_mean_score),
        ],
    ]  # fmt: skip
    return page.section(
        "What the judge says",
        "심사 결과",
        page.say(
            f"{code(judge.model)} scored {judge.judged:,} records that had passed all other "
            "stages, 1 to 5. A model's scores are opinions: see `judgements.parquet` for each, "
            "with its reasons.",
            f"심사 모델({code(judge.model)})이 앞의 단계를 모두 지난 레코드 {judge.judged:,}건에 "
            "1점에서 5점까지 점수를 매겼습니다. 모델의 점수는 의견일 뿐입니다. 레코드마다의 "
            "점수와 이유는 `judgements.parquet`에 있습니다.",
        ),
        table([page.say("criterion", "기준"), page.say("mean score", "평균 점수")], rows, right=1),
        _agreement(page, judge),
    )


def write_review(page: Page) -> str:
    """Tell what readers decided, and which share they found wrong."""
    review = page.edition.manifest.review
    if review is None:
        return ""
    read = review.accepted + review.edited + review.rejected
    rows = [
        [page.say("found right and kept", "맞다고 보고 남김"), f"{review.accepted:,}"],
        [page.say("rewritten and kept", "고쳐서 남김"), f"{review.edited:,}"],
        [
            page.say(
                "– of these, brought back after another stage had dropped them",
                "– 이 가운데 다른 단계에서 버린 것을 되살림",
            ),
            f"{review.restored:,}",
        ],
        [page.say("rejected", "거절"), f"{review.rejected:,}"],
    ]
    wrong = percent(review.edited + review.rejected, read)
    return page.section(
        "What readers say",
        "사람의 검토",
        page.say(
            f"People read {read:,} records and drafts and found {wrong} wrong (rewritten or "
            "rejected). They chose what to read, so the share says little about the others. Every "
            "decision with its author is in `review.jsonl`.",
            f"사람이 레코드와 초안 {read:,}건을 읽었고 {wrong}를 고치거나 거절했습니다. 무작위로 "
            "골라 읽은 것이 아니므로 나머지도 그렇다고 볼 수는 없습니다. 누가 무엇을 어떻게 "
            "판단했는지는 `review.jsonl`에 있습니다.",
        ),
        table([page.say("decision", "판단"), page.say("records", "레코드(건)")], rows, right=1),
    )


def write_contamination(page: Page) -> str:
    """Tell which evaluation sets the records were held against, and what that proves."""
    manifest = page.edition.manifest
    stages = manifest.curation.get("stage")
    heading = "Evaluation items", "평가 문항 유출"
    if isinstance(stages, list) and "contamination" not in stages:
        return page.section(
            *heading,
            page.say(
                "Not checked: the records may hold items of evaluation sets.",
                "확인하지 않았습니다. 평가 문항이 들어 있을 수 있습니다.",
            ),
        )
    named = [code(_hide_folders(name)) for name in _read_sets(manifest.curation)]
    more = page.say("and {} more", "외 {}개")
    sets = listed([page.say("Pacaloom's own evaluation tasks", "Pacaloom의 평가 과제"), *named],
                  _SETS, more)  # fmt: skip
    return page.section(
        *heading,
        page.say(f"Held against: {sets}.", f"대조한 것: {sets}.") + " " + _count_leaks(page),
        page.say(
            "This proves that no kept record holds an item of these sets word for word. It does "
            "not find items in other words or another language, says nothing about other sets, "
            "and cannot tell whether the teacher was trained on them.",
            "남긴 레코드에 이 문항들이 글자 그대로 들어 있지 않다는 뜻입니다. 표현을 바꾸거나 "
            "다른 언어로 옮긴 문항은 찾지 못하며, 다른 평가 문항에 대해서는 말해 주지 않고, 교사 "
            "모델이 이 문항들로 학습했는지도 알 수 없습니다.",
        ),
        _not_looked_at(page),
    )


def _not_looked_at(page: Page) -> str:
    """Own up to what came after the stage: the review, which has the last word."""
    review = page.edition.manifest.review
    if review is None or not review.edited + review.restored:
        return ""
    return page.say(
        "Records that readers rewrote or brought back were not held against them again, and are "
        "not part of this proof.",
        "사람이 고치거나 되살린 레코드는 다시 대조하지 않았으므로 여기에 해당하지 않습니다.",
    )


def _count_leaks(page: Page) -> str:
    rejected = page.edition.manifest.rejected
    dropped = sum(rejected.get(reason, 0) for reason in _CONTAMINATED)
    if not dropped:
        return page.say(
            "No draft held an item, shared long passages with one, or was made from one.",
            "문항이 그대로 들어 있거나, 긴 구절이 겹치거나, 문항에서 만들어진 초안은 없었습니다.",
        )
    return page.say(
        f"{count(dropped, 'draft', 'drafts')} dropped for holding an item, sharing long passages "
        "with one, or being made from one.",
        f"문항이 그대로 들어 있거나, 긴 구절이 겹치거나, 문항에서 만들어진 초안 {dropped:,}건을 "
        "버렸습니다.",
    )


def _score(page: Page, mean: float | None) -> str:
    return page.say("none", "없음") if mean is None else f"{mean:.2f}"


def _agreement(page: Page, judge: JudgeReport) -> str:
    if judge.kappa is None:
        return page.say(
            "Nothing that the rules had dropped was scored, so their agreement is not known.",
            "규칙이 버린 초안에는 점수를 매기지 않아 규칙과 심사가 얼마나 일치하는지 알 수 "
            "없습니다.",
        )
    return page.say(
        "Agreement of rules and threshold, Cohen's kappa with both groups weighted alike: "
        f"{judge.kappa:.2f} (1: always, 0: as by chance).",
        f"규칙과 심사 기준의 일치도(코헨의 카파, 두 집단에 같은 가중치): {judge.kappa:.2f}. 1은 늘 "
        "일치, 0은 우연한 정도입니다.",
    )


def _read_sets(curation: dict[str, JsonValue]) -> list[str]:
    contamination = curation.get("contamination")
    sets = contamination.get("sets") if isinstance(contamination, dict) else None
    return [str(name) for name in sets] if isinstance(sets, list) else []


def _hide_folders(name: str) -> str:
    """Leave a machine's folders out of a path; names of versions are no paths."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or name.startswith(("~", "..")):
            return path.name
    return name
