"""Curation with a judge behind a real socket: asked once, resumable, provable, explained."""

import json
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.engine import PlainEngine
from flows.explanation import explain
from flows.exploration import explore
from flows.outcomes import CurateOutcome
from flows.parameters import CurateParams, ExploreParams, GenerateParams
from flows.settings import Settings
from flows.steps.curation import curate_and_publish
from flows.steps.generation import generate_drafts
from flows.steps.judge import JudgePriceError, JudgingError
from flows.verification import verify
from pipeline.publishing.tables import read_assessments, read_records, read_rejections
from pipeline.publishing.versions import open_version
from tests.cli.command import ROOT, pacaloom_environment
from tests.flows.live_journal import count_answers
from tests.generation.scripted_server import Asked, ScriptedServer, Trick, serve

ROWS = [
    *(
        {"instruction": f"Name the capital of country number {n}.", "output": f"City {n} it is."}
        for n in range(4)
    ),
    *(
        {"instruction": f"{n}번 나라의 수도를 말해 줘.", "output": f"{n}번 도시입니다."}
        for n in range(4)
    ),
]
DROPPED_BY_RULES = [
    {"instruction": "Describe the spring weather in Seoul.", "output": "As an AI, I cannot."},
    {"instruction": "서울의 봄 날씨를 설명해 줘.", "output": "죄송하지만 도와드릴 수 없습니다."},
]
SCORES: dict[str, tuple[int, int, int]] = {"number 1.": (1, 2, 3), "1번 나라": (2, 2, 2)}


def grade(scores: tuple[int, int, int], reason: str) -> str:
    names = ("helpfulness", "correctness", "clarity")
    return json.dumps(
        {
            name: {"reason": reason, "score": score}
            for name, score in zip(names, scores, strict=True)
        },
        ensure_ascii=False,
    )


def answer_as_judge(body: dict[str, Any]) -> str:
    said = body["messages"][-1]["content"]
    scores = next((scores for text, scores in SCORES.items() if text in said), (5, 4, 4))
    return grade(scores, "<b>이유</b> | `x`")


@pytest.fixture
def server() -> Generator[ScriptedServer]:
    with serve() as opened:
        opened.answer_text = answer_as_judge
        yield opened


def make_settings(outputs: Path, base_url: str | None) -> Settings:
    return Settings.model_validate({"outputs": outputs, "base_url": base_url, "api_key": None})


def write_rows(outputs: Path, rows: Sequence[dict[str, str]]) -> Path:
    source = outputs / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return source


def curate(
    outputs: Path,
    base_url: str | None,
    judge: dict[str, object],
    rows: list[dict[str, str]] | None = None,
) -> CurateOutcome:
    source = write_rows(outputs, ROWS if rows is None else rows)
    params = make_params(source, judge)
    return curate_and_publish(params, make_settings(outputs, base_url), PlainEngine())


def make_params(source: Path, judge: dict[str, object]) -> CurateParams:
    return CurateParams.model_validate(
        {
            "name": "judged",
            "input": source,
            "seeds": ("none",),
            "processes": 1,
            "stage": ("schema", "rules", "judge"),
            "judge": {"model": "scripted", **judge},
        }
    )


def test_each_record_is_asked_once_and_a_repeat_asks_nothing(
    tmp_path: Path, server: ScriptedServer
) -> None:
    first = curate(tmp_path, server.base_url, {})
    asked = len(server.asked)
    second = curate(tmp_path, server.base_url, {})

    assert asked == len(set(server.questions)) == len(ROWS) == len(server.asked)
    assert second == first.model_copy(update={"is_new": False})
    assert first.rejected == {"low-score": 2}
    assert server.asked[0].body["temperature"] == 0
    assert server.asked[0].body["response_format"]["type"] == "json_schema"


def test_journal_alone_judges_where_no_endpoint_is_set(
    tmp_path: Path, server: ScriptedServer
) -> None:
    first = curate(tmp_path, server.base_url, {"max_usd": None})

    assert curate(tmp_path, None, {}).dataset == first.dataset


def test_what_the_judge_found_is_published(tmp_path: Path, server: ScriptedServer) -> None:
    folder = curate(tmp_path, server.base_url, {}, [*ROWS, *DROPPED_BY_RULES]).dataset

    report = open_version(folder).judge
    assert report is not None
    assert (report.judged, report.audited) == (8, 2)
    # Six records of 13/3, one of 2 and one of 2; both audited of 13/3.
    assert report.mean_score == pytest.approx((6 * 13 / 3 + 2 + 2) / 8)
    # 2 of 8 kept and 0 of 2 dropped records are under 3.
    assert report.kappa == pytest.approx(0 - 2 / 8)
    found = read_assessments(folder)
    drafts = [rejection.draft.id for rejection in read_rejections(folder)]
    assert found.keys() == {record.id for record in read_records(folder)} | set(drafts)
    card = (folder / "README.md").read_text(encoding="utf-8")
    section = card.split("## What the judge says")[1].split("\n## ")[0]
    assert "`scripted` scored 8 records" in section
    assert "-0.25" in section
    assert "judgements.parquet" in {file.path for file in open_version(folder).files}


def test_audit_of_none_asks_for_records_that_passed_alone(
    tmp_path: Path, server: ScriptedServer
) -> None:
    folder = curate(tmp_path, server.base_url, {"audit": 0}, [*ROWS, *DROPPED_BY_RULES]).dataset

    report = open_version(folder).judge
    assert len(server.asked) == 8
    assert report is not None
    assert (report.audited, report.kappa) == (0, None)


def test_why_shows_the_scores_of_kept_and_dropped_records(
    tmp_path: Path, server: ScriptedServer
) -> None:
    curate(tmp_path, server.base_url, {}, [*ROWS, *DROPPED_BY_RULES])
    settings = make_settings(tmp_path, None)

    kept, low, ruled = (
        explain(text, "judged", settings) for text in ("number 0", "1번 나라", "봄 날씨")
    )

    assert kept.assessment.judgement is not None
    assert [one.score for one in kept.assessment.judgement] == [5, 4, 4]
    assert low.rejection is not None
    assert low.rejection.reason == "low-score"
    assert low.assessment.judgement is not None
    assert low.assessment.judgement.clarity.reason == "<b>이유</b> | `x`"
    assert ruled.assessment.judgement is not None


def test_cap_publishes_nothing_keeps_the_answers_and_holds_over_restarts(
    tmp_path: Path, server: ScriptedServer
) -> None:
    for _ in range(2):
        with pytest.raises(
            JudgingError, match=r"5 of 8 records .* judge\.max_requests = 3 .*judged\.sqlite"
        ):
            curate(tmp_path, server.base_url, {"max_requests": 3})
        assert len(server.asked) == 3
        assert not (tmp_path / "datasets").exists()

    curate(tmp_path, server.base_url, {"max_requests": 8})

    assert len(server.asked) == len(set(server.questions)) == 8


def test_cap_is_for_the_records_at_hand(tmp_path: Path, server: ScriptedServer) -> None:
    curate(tmp_path, server.base_url, {"max_requests": 4}, ROWS[:4])

    # Four new ones: their four requests are another run's.
    curate(tmp_path, server.base_url, {"max_requests": 4})

    assert len(server.asked) == 8


def test_endpoint_that_dies_midway_is_gone_on_with(tmp_path: Path) -> None:
    def die(number: int, _asked: Asked) -> Trick | None:
        return Trick(status=401, body="no") if number > 5 else None

    with serve(die) as server:
        server.answer_text = answer_as_judge
        with pytest.raises(Exception, match="refuses"):
            curate(tmp_path, server.base_url, {"concurrency": 1})
        before = set(server.questions[:5])
    with serve() as server:
        server.answer_text = answer_as_judge
        curate(tmp_path, server.base_url, {})

        assert before.isdisjoint(server.questions)
        assert len(server.asked) == 3


def test_killed_judging_is_gone_on_with(tmp_path: Path) -> None:
    write_rows(tmp_path, ROWS)
    command = [str(ROOT / "pacaloom"), "curate", "--input", str(tmp_path / "rows.jsonl")]
    command += ["--name", "judged", "--seeds", "none", "--processes", "1"]
    command += ["--judge.model", "scripted", "--judge.concurrency", "1"]
    command += ["--stage", "rules", "--stage", "judge"]

    journal = tmp_path / "journals" / "judged.sqlite"

    def hang(number: int, _asked: Asked) -> Trick | None:
        return Trick(hang=True) if number > 5 else None

    with serve(hang) as server:
        server.answer_text = answer_as_judge
        environment = pacaloom_environment(tmp_path, OPENAI_BASE_URL=server.base_url)
        child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        # The sixth may be asked before the fifth answer is on the disk.
        while count_answers(journal) < 5 or len(server.asked) < 6:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert len(server.asked) == 6
    with serve() as server:
        server.answer_text = answer_as_judge
        curate(tmp_path, server.base_url, {})

        assert len(server.asked) == 8 - 5


def test_answer_without_scores_is_asked_for_once_more(tmp_path: Path) -> None:
    def mumble(_number: int, asked: Asked) -> Trick | None:
        said = asked.body["messages"][-1]["content"]
        never = "number 2." in said
        at_first = "number 3." in said and asked.body["temperature"] == 0
        return Trick(text="5점 만점에 5점!") if never or at_first else None

    with serve(mumble) as server:
        server.answer_text = answer_as_judge
        curate(tmp_path, server.base_url, {"min_score": 1})
        outcome = curate(tmp_path, server.base_url, {"min_score": 1})

        assert len(server.asked) == 10
    assert outcome.rejected == {"not-judged": 1}


def test_record_too_long_for_the_judge_is_asked_again_shorter(tmp_path: Path) -> None:
    too_long = Trick(
        status=400,
        body=json.dumps(
            {"error": {"message": "too long", "type": "exceed_context_size_error", "code": 400}}
        ),
    )

    def refuse(_number: int, asked: Asked) -> Trick | None:
        return too_long if len(asked.body["messages"][-1]["content"].encode()) > 4000 else None

    rows = [*ROWS, {"instruction": "긴 글을 써 줘.", "output": "봄이 오면 꽃이 핀다. " * 300}]
    with serve(refuse) as server:
        server.answer_text = answer_as_judge
        params = make_params(write_rows(tmp_path, rows), {}).model_copy(
            update={"stage": ("schema", "judge")}
        )
        outcome = curate_and_publish(
            params, make_settings(tmp_path, server.base_url), PlainEngine()
        )

        assert len(server.asked) == 10
    assert outcome.rejected == {"low-score": 2}


def test_same_record_twice_is_asked_once(tmp_path: Path, server: ScriptedServer) -> None:
    outcome = curate(tmp_path, server.base_url, {}, [*ROWS, *ROWS])

    assert len(server.asked) == 8
    assert outcome.generated == 16
    assert outcome.kept + sum(outcome.rejected.values()) == 16


def test_no_records_ask_nothing(tmp_path: Path, server: ScriptedServer) -> None:
    outcome = curate(tmp_path, server.base_url, {"audit": 0}, DROPPED_BY_RULES)

    assert outcome.kept == len(server.asked) == 0


def test_cap_in_dollars_needs_a_price(tmp_path: Path, server: ScriptedServer) -> None:
    with pytest.raises(JudgePriceError, match=r"Set judge\.max_requests"):
        curate(tmp_path, server.base_url, {"max_usd": 1})

    assert server.asked == []


def test_judge_that_drops_nothing_is_published_all_the_same(
    tmp_path: Path, server: ScriptedServer
) -> None:
    plain = curate(tmp_path, None, {"model": None})
    judged = curate(tmp_path, server.base_url, {"min_score": 1})
    again = curate(tmp_path, server.base_url, {"min_score": 1})

    assert plain.content_hash == judged.content_hash
    assert not (plain.dataset / "judgements.parquet").exists()
    assert (judged.dataset / "judgements.parquet").exists()
    assert again.dataset == judged.dataset


def test_judged_version_is_proved_by_its_journal_without_a_request(
    tmp_path: Path, server: ScriptedServer
) -> None:
    settings = make_settings(tmp_path, server.base_url)
    with serve() as teacher:
        params = {"name": "judged", "model": "t", "prompts_per_round": 4, "quota": {"ko": 4}}
        generate_drafts(
            GenerateParams.model_validate(params),
            make_settings(tmp_path, teacher.base_url),
            PlainEngine(),
        )
    knobs = {"model": "scripted", "top_share": 0.5, "min_score": 1}
    made = curate_and_publish(
        CurateParams.model_validate(
            {"name": "judged", "stage": ("schema", "duplicate", "judge"), "judge": knobs}
        ),
        settings,
        PlainEngine(),
    )
    asked = len(server.asked)

    proof = verify("judged", (), make_settings(tmp_path, None), PlainEngine())

    assert asked == made.generated == len(server.asked)
    assert proof.content_hash == made.content_hash
    assert made.rejected["outside-top-share"] == made.generated // 2


def test_other_thresholds_are_explored_without_a_request_and_unknown_scores_are_named(
    tmp_path: Path, server: ScriptedServer
) -> None:
    curate(tmp_path, server.base_url, {})
    params = make_params(tmp_path / "rows.jsonl", {}).model_dump()
    settings = make_settings(tmp_path, None)
    raised = ExploreParams.model_validate({**params, "sweep": "judge.min_score=1,3,4.5"})
    another = ExploreParams.model_validate({**params, "what_if": ("judge.model=other",)})

    outcome = explore(raised, settings, PlainEngine())

    assert [variant.kept for variant in outcome.variants] == [8, 6, 0]
    with pytest.raises(JudgingError, match=r"lacks the answers of the judge 'other' to 8"):
        explore(another, settings, PlainEngine())
    assert len(server.asked) == 8


def test_exploring_makes_no_journal(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text(json.dumps(ROWS[0]), "utf-8")
    params = ExploreParams.model_validate(
        {**make_params(source, {}).model_dump(), "what_if": ("judge.min_score=4",)}
    )

    with pytest.raises(JudgingError, match="lacks the answers"):
        explore(params, make_settings(tmp_path, None), PlainEngine())

    assert not (tmp_path / "journals").exists()
