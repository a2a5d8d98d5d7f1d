"""Who is kept by scores and difficulty, and how far a judge agrees with the rules: by hand."""

import pytest
from pydantic import ValidationError

from pipeline.curation.judging.agreement import report_judge
from pipeline.curation.judging.config import JudgeConfig
from pipeline.curation.judging.selection import select
from schemas.judgements import Assessment, Grade, Judgement
from schemas.records import InstructionRecord, Language, Reason, StageResult
from tests.curation.making import make_record


def judge(helpfulness: int, correctness: int, clarity: int, reason: str = "why") -> Judgement:
    return Judgement(*(Grade(score, reason) for score in (helpfulness, correctness, clarity)))


def choose(
    found: list[tuple[str, Language, Assessment]], config: JudgeConfig
) -> tuple[list[InstructionRecord], StageResult]:
    records = [make_record(text, language) for text, language, _ in found]
    by_id = {record.id: one[2] for record, one in zip(records, found, strict=True)}
    return records, select(records, by_id, config)


def reasons(result: StageResult) -> list[Reason]:
    return [one.reason for one in result.dropped]


def test_mean_of_exactly_the_threshold_is_kept_and_the_worst_reason_is_told() -> None:
    low = Judgement(Grade(4, "fits"), Grade(2, "서울은 틀렸다."), Grade(2, "unclear"))
    records, result = choose(
        [("a", "en", Assessment(judge(3, 3, 3))), ("b", "ko", Assessment(low))],
        JudgeConfig(model="j", min_score=3),
    )

    assert result.kept == records[:1]
    (dropped,) = result.dropped
    assert (dropped.stage, dropped.reason) == ("judge", "low-score")
    # (4 + 2 + 2) / 3
    assert dropped.score == pytest.approx(2.6667, abs=1e-4)
    assert dropped.detail == ("2.67 of 5 (helpfulness 4, correctness 2, clarity 2): 서울은 틀렸다.")


def test_record_without_scores_is_dropped_as_not_judged() -> None:
    _, result = choose([("a", "ko", Assessment())], JudgeConfig(model="j", min_score=1))

    assert reasons(result) == ["not-judged"]


def test_top_share_is_of_each_language_rounded_up_and_earlier_ones_win_ties() -> None:
    scores = [3, 5, 4, 4, 4]
    english: list[tuple[str, Language, Assessment]] = [
        (f"e{place}", "en", Assessment(judge(score, score, score)))
        for place, score in enumerate(scores)
    ]
    korean: list[tuple[str, Language, Assessment]] = [("과일", "ko", Assessment(judge(3, 3, 3)))]
    records, result = choose([*english, *korean], JudgeConfig(model="j", top_share=0.5))

    # 0.5 of 5 is 3: the 5 and the first two 4s; 0.5 of 1 is 1.
    assert result.kept == [records[1], records[2], records[3], records[5]]
    assert reasons(result) == ["outside-top-share"] * 2
    assert result.dropped[1].detail.startswith("rank 4 of 5, best 3 kept; 4.00 of 5")


def test_top_share_is_of_those_that_reach_the_threshold() -> None:
    found: list[tuple[str, Language, Assessment]] = [
        (f"e{place}", "en", Assessment(judge(score, score, score)))
        for place, score in enumerate([1, 1, 5, 4])
    ]
    records, result = choose(found, JudgeConfig(model="j", top_share=0.5))

    assert result.kept == [records[2]]
    assert reasons(result) == ["low-score", "low-score", "outside-top-share"]


@pytest.mark.parametrize(("share", "count", "kept"), [(0.1, 30, 3), (0.3, 10, 3), (0.01, 5, 1)])
def test_share_is_not_rounded_up_for_what_binary_fractions_add(
    share: float, count: int, kept: int
) -> None:
    found: list[tuple[str, Language, Assessment]] = [
        (f"r{place}", "en", Assessment(judge(4, 4, 4))) for place in range(count)
    ]
    _, result = choose(found, JudgeConfig(model="j", top_share=share))

    assert len(result.kept) == kept


def test_whole_share_keeps_everything() -> None:
    found: list[tuple[str, Language, Assessment]] = [
        (f"r{place}", "ko", Assessment(judge(5, 5, place + 1))) for place in range(5)
    ]

    assert choose(found, JudgeConfig(model="j", top_share=1.0))[1].dropped == []


def test_difficulty_outside_its_bounds_is_dropped_with_a_rounded_score() -> None:
    found: list[tuple[str, Language, Assessment]] = [
        (f"r{place}", "ko", Assessment(None, difficulty))
        for place, difficulty in enumerate([0.1999, 0.2, 1.0, 1.23456789])
    ]
    records, result = choose(found, JudgeConfig(student="s", min_difficulty=0.2))

    assert result.kept == records[1:3]
    assert reasons(result) == ["outside-difficulty"] * 2
    assert [one.score for one in result.dropped] == [0.2, 1.23]


def test_without_judge_and_student_nothing_is_dropped() -> None:
    assert choose([("a", "en", Assessment())], JudgeConfig())[1].dropped == []


def test_no_records_give_no_records() -> None:
    assert select([], {}, JudgeConfig(model="j", top_share=0.5)) == StageResult([], [])


def test_same_record_twice_has_the_same_verdict() -> None:
    found: list[tuple[str, Language, Assessment]] = [("a", "en", Assessment(judge(1, 1, 1)))] * 2

    assert reasons(choose(found, JudgeConfig(model="j"))[1]) == ["low-score"] * 2


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"top_share": 0.5}, "name the judge with model"),
        ({"student": "s", "min_difficulty": 0.9, "max_difficulty": 0.8}, "drops every record"),
    ],
)
def test_knobs_that_cannot_work_are_refused(knobs: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        JudgeConfig.model_validate(knobs)


def test_means_and_kappa_equal_those_worked_out_by_hand() -> None:
    kept = [judge(5, 4, 3), judge(5, 5, 5), judge(2, 2, 2), judge(4, 4, 4)]
    audited = [judge(1, 1, 1), judge(2, 3, 1), judge(5, 5, 5)]

    report = report_judge("j", kept, audited, min_score=3)

    assert report.judged == 4
    assert report.means == {"helpfulness": 4.0, "correctness": 3.75, "clarity": 3.5}
    # 4 + 5 + 2 + 4 over 4, and 1 + 2 + 5 over 3.
    assert report.mean_score == 3.75
    assert report.audited_mean_score == pytest.approx(8 / 3)
    # 1 of 4 kept and 2 of 3 dropped ones are under 3. Weighted to one half each, they agree on
    # (3/4 + 2/3) / 2 = 17/24; by chance on 1/2: (17/24 - 1/2) / (1 - 1/2) = 5/12.
    assert report.kappa == pytest.approx(5 / 12)


@pytest.mark.parametrize(
    ("kept", "audited", "kappa"),
    [
        pytest.param([judge(5, 5, 5)], [judge(1, 1, 1)], 1.0, id="always agrees"),
        pytest.param([judge(1, 1, 1)], [judge(5, 5, 5)], -1.0, id="never agrees"),
        pytest.param([judge(4, 4, 4)], [judge(4, 4, 4)], 0.0, id="gives everyone the same"),
        pytest.param([judge(4, 4, 4)], [], None, id="nothing audited"),
        pytest.param([], [judge(4, 4, 4)], None, id="nothing kept"),
    ],
)
def test_kappa_at_its_ends(
    kept: list[Judgement], audited: list[Judgement], kappa: float | None
) -> None:
    assert report_judge("j", kept, audited, min_score=3).kappa == kappa
