"""The compositions tie the stages together, whatever runs their steps."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import pytest

from flows.compositions import curate
from flows.engine import Artifact, PlainEngine, line_progress
from flows.milestones import DatasetPublished, Milestone
from flows.parameters import CurateParams, FinetuneParams, GenerateParams, RetrainParams, part_of
from flows.resources import choose_teacher, find_file, load_seeds
from flows.settings import ROOT, Settings
from pipeline.curation.shards import Examination, examine_here
from pipeline.generation.config import GenerationConfig
from schemas.errors import UserError
from schemas.progress import Progress, no_progress
from training.finetuning.recipe import Recipe

Result = TypeVar("Result")


class RecordingEngine(PlainEngine):
    """Plain calls that write down what they were asked for."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.artifacts: list[Artifact] = []
        self.milestones: list[Milestone] = []

    def run(self, label: str, step: Callable[[], Result]) -> Result:
        self.steps.append(label)
        return step()

    def reach(self, milestone: Milestone) -> None:
        self.milestones.append(milestone)

    def show(self, artifact: Artifact) -> str:
        self.artifacts.append(artifact)
        return ""

    def say(self, message: str) -> None:
        pass

    def use_cluster(self, address: str) -> Examination:
        return examine_here

    @contextmanager
    def progress(self, label: str) -> Generator[Progress]:
        yield no_progress


def make_settings(outputs: Path, **fields: object) -> Settings:
    nothing: dict[str, object] = {"base_url": None, "api_key": None, "prefect_api_url": None}
    return Settings.model_validate({**nothing, "outputs": outputs, **fields})


def test_curation_shows_its_funnel_and_card(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Name a citrus fruit.", "output": "Lemon."},
        {"instruction": "꽃 이름을 하나 말해 줘.", "output": ""},
    ]
    source = tmp_path / "r.jsonl"
    source.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    engine = RecordingEngine()

    outcome = curate(CurateParams(name="toy", input=source), make_settings(tmp_path), engine)

    assert (outcome.kept, outcome.rejected) == (1, {"empty-output": 1})
    funnel, card = engine.artifacts
    assert funnel.key == "funnel-toy"
    assert "| rejected: empty-output | 0 | 1 |" in funnel.markdown
    assert card.markdown.startswith("# toy\n")
    assert "Lemon." in card.markdown
    assert "](figures/" not in card.markdown


def test_a_version_is_announced_and_said_to_be_old_when_it_comes_again(tmp_path: Path) -> None:
    source = tmp_path / "r.jsonl"
    source.write_text(
        '{"instruction": "꽃 이름을 하나 말해 줘.", "output": "장미입니다."}', "utf-8"
    )
    engine = RecordingEngine()

    for _ in range(2):
        curate(CurateParams(name="toy", input=source), make_settings(tmp_path), engine)

    first, second = engine.milestones
    assert isinstance(first, DatasetPublished)
    assert (first.name, first.kept, first.rejected, first.is_new) == ("toy", 1, 0, True)
    assert first.dataset.startswith("toy/0001-")
    assert second == first.model_copy(update={"is_new": False})


def test_plain_engine_and_recording_engine_publish_the_same_version(tmp_path: Path) -> None:
    source = tmp_path / "r.jsonl"
    source.write_text('{"instruction": "Name a citrus fruit.", "output": "Lemon."}')
    params = CurateParams(name="toy", input=source)

    one = curate(params, make_settings(tmp_path / "one"), PlainEngine())
    two = curate(params, make_settings(tmp_path / "two"), RecordingEngine())

    assert one.content_hash == two.content_hash


def test_parts_of_retrain_are_the_parameters_of_its_stages() -> None:
    params = RetrainParams(name="x", quota={"ko": 3}, method="full", max_steps=7, random_seed=5)

    generate = part_of(params, GenerateParams)
    assert (generate.name, generate.quota, generate.random_seed) == ("x", {"ko": 3}, 5)
    assert part_of(params, GenerationConfig).quota == {"ko": 3}
    recipe = part_of(params, Recipe)
    assert (recipe.method, recipe.max_steps, recipe.random_seed) == ("full", 7, 5)
    assert set(Recipe.model_fields) <= set(FinetuneParams.model_fields)


def test_teacher_is_the_embedded_one_until_an_endpoint_is_set(tmp_path: Path) -> None:
    alone = choose_teacher(None, make_settings(tmp_path))
    served = choose_teacher("m", make_settings(tmp_path, base_url="http://127.0.0.1:1/v1"))

    assert alone.model == "qwen2.5-coder-1.5b"
    assert alone.embedded is not None
    assert served.embedded is None
    with pytest.raises(UserError, match="--model"):
        choose_teacher(None, make_settings(tmp_path, api_key="sk-x"))


def test_seed_files_are_found_from_anywhere_and_may_not_share_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_file("seeds/ko.jsonl") == ROOT / "seeds" / "ko.jsonl"
    assert len(load_seeds(("seeds/en.jsonl", "seeds/ko.jsonl"))) == 350
    with pytest.raises(UserError, match="en-001"):
        load_seeds(("seeds/en.jsonl", "seeds/en.jsonl"))


def test_secrets_are_masked_wherever_settings_are_printed(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, api_key="sk-secret")

    assert "sk-secret" not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_progress_lines_are_rare_and_the_last_is_never_lost() -> None:
    lines: list[str] = []
    report = line_progress("generate", lines.append, every_s=3600)

    for done in range(1, 101):
        report(done, 100, "ko")

    assert lines == ["generate: 100 of 100, ko"]


def test_a_continued_run_is_estimated_by_what_it_does_now(monkeypatch: pytest.MonkeyPatch) -> None:
    # 100 s of loading; then 40 of 50 were done earlier, and each further step takes 10 s.
    times = iter((0.0, 100.0, 110.0, 120.0))
    monkeypatch.setattr("flows.engine.time", SimpleNamespace(monotonic=lambda: next(times)))
    lines: list[str] = []
    report = line_progress("finetune", lines.append, every_s=0)

    for done in (40, 41, 42):
        report(done, 50)

    assert lines == [
        "finetune: 40 of 50",
        "finetune: 41 of 50, 90 s left",
        "finetune: 42 of 50, 80 s left",
    ]
