import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import PacaloomError
from schemas.manifest import Method, SampleAnswer, TrainingManifest, TrainingPoint
from schemas.storage import read_jsonl
from training.finetuning import versions
from training.finetuning.callbacks import describe_step
from training.finetuning.recipe import Recipe
from training.finetuning.sft import finetune
from training.finetuning.student import Student

REPOSITORY = Path(__file__).parents[2]


def quick(**changes: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "method": "qlora",
            "max_steps": 6,
            "learning_rate": 5e-3,
            "gradient_accumulation": 1,
            "dropout": 0.1,
            "save_steps": 2,
            "sample_steps": 2,
            "precision": "fp32",
            "threads": 1,
            **changes,
        }
    )


def read_points(version: Path) -> list[TrainingPoint]:
    return list(read_jsonl(version / "history.jsonl", TrainingPoint))


@pytest.fixture(scope="module")
def undisturbed(tiny_llama: Path, colours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    return finetune(colours, Student("tiny", tiny_llama), quick(), root, "t", "test")


def test_a_version_tells_of_every_step_and_of_each_round_of_questions(undisturbed: Path) -> None:
    points = read_points(undisturbed)
    answers = list(read_jsonl(undisturbed / "samples.jsonl", SampleAnswer))

    assert [point.step for point in points] == [1, 2, 3, 4, 5, 6]
    assert [answer.step for answer in answers] == [step for step in (0, 2, 4, 6) for _ in range(8)]
    # The cosine begins after one step of warm-up, and the last step is not at 0 yet.
    assert points[0].learning_rate < points[1].learning_rate
    assert points[1].learning_rate == pytest.approx(5e-3)


def test_tokens_are_those_of_the_rows_without_padding(
    undisturbed: Path,
) -> None:
    # 18 rows in batches of 4: steps 1 to 5 are one epoch, with each row once.
    manifest = TrainingManifest.model_validate_json((undisturbed / "manifest.json").read_bytes())

    points = read_points(undisturbed)

    assert points[4].tokens == manifest.contract.tokens
    assert manifest.tokens_per_second == pytest.approx(points[-1].tokens / manifest.train_seconds)


@pytest.mark.parametrize("broken_at", [3, pytest.param(6, marks=pytest.mark.slow)])
def test_a_broken_and_continued_run_tells_the_same_as_an_undisturbed_one(
    undisturbed: Path, tiny_llama: Path, colours: Path, tmp_path: Path, broken_at: int
) -> None:
    def break_off(done: int, total: int, note: str = "") -> None:
        if done == broken_at:
            raise RuntimeError("the power is gone")

    student = Student("tiny", tiny_llama)
    with pytest.raises(RuntimeError, match="power"):
        finetune(colours, student, quick(), tmp_path, "t", "test", break_off)
    assert not list(tmp_path.glob("t/0*"))

    version = finetune(colours, student, quick(), tmp_path, "t", "test")

    assert version.name == undisturbed.name
    for file in ("history.jsonl", "samples.jsonl", "curves.png"):
        assert (version / file).read_bytes() == (undisturbed / file).read_bytes()


@pytest.mark.parametrize("method", ["full", pytest.param("prompt_tuning", marks=pytest.mark.slow)])
def test_questions_change_nothing_of_what_is_learned(
    tiny_llama: Path, colours: Path, tmp_path: Path, method: Method
) -> None:
    student = Student("tiny", tiny_llama)
    dropout = {"dropout": None}

    often = finetune(
        colours, student, quick(method=method, sample_steps=1, **dropout), tmp_path, "a", "test"
    )
    never = finetune(
        colours, student, quick(method=method, sample_steps=None, **dropout), tmp_path, "b", "test"
    )

    assert often.name == never.name


def test_progress_tells_loss_speed_and_gradient(
    tiny_llama: Path, colours: Path, tmp_path: Path
) -> None:
    notes: list[tuple[int, int, str]] = []

    def remember(done: int, total: int, note: str = "") -> None:
        notes.append((done, total, note))

    version = finetune(
        colours, Student("tiny", tiny_llama), quick(max_steps=2), tmp_path, "t", "test", remember
    )

    assert notes[0] == (0, 2, "asking the base the fixed questions")
    assert [note[:2] for note in notes[1:]] == [(1, 2), (2, 2)]
    point = read_points(version)[1]
    assert notes[2][2].startswith(f"loss {point.loss:.3f}, ")
    assert notes[2][2].endswith(f" tokens/s, gradient {point.gradient_norm:.2f}")


def test_a_step_is_described_in_a_few_words() -> None:
    point = TrainingPoint(step=3, loss=1.2344, learning_rate=1e-4, gradient_norm=0.806, tokens=9)

    assert describe_step(point, 1412.4) == "loss 1.234, 1,412 tokens/s, gradient 0.81"


@pytest.mark.slow
def test_two_processes_that_publish_under_one_name_take_turns(
    tiny_llama: Path, colours: Path, tmp_path: Path
) -> None:
    script = """
import sys
from pathlib import Path
from training.finetuning.recipe import Recipe
from training.finetuning.sft import finetune
from training.finetuning.student import Student

recipe = Recipe.model_validate_json(sys.argv[3])
finetune(Path(sys.argv[1]), Student("tiny", Path(sys.argv[2])), recipe, Path(sys.argv[4]), "t", "v")
"""
    processes = [
        subprocess.Popen(
            [
                sys.executable, "-c", script, str(colours), str(tiny_llama),
                quick(max_steps=1, random_seed=seed).model_dump_json(), str(tmp_path),
            ],
            cwd=REPOSITORY,
        )
        for seed in (1, 2)
    ]  # fmt: skip
    assert [process.wait() for process in processes] == [0, 0]

    names = sorted(path.name for path in (tmp_path / "t").iterdir())
    assert [name[:5] for name in names] == ["0001-", "0002-"]


def test_a_disk_that_fills_up_while_publishing_leaves_no_version(
    tiny_llama: Path,
    colours: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fill(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    student = Student("tiny", tiny_llama)
    with monkeypatch.context() as patch:
        patch.setattr(versions, "copyfile", fill)
        with pytest.raises(PacaloomError, match=r"No space left.*Free space"):
            finetune(colours, student, quick(max_steps=2), tmp_path, "t", "test")
    assert not list((tmp_path / "t").glob("*0001*"))

    version = finetune(colours, student, quick(max_steps=2), tmp_path, "t", "test")

    assert [point.step for point in read_points(version)] == [1, 2]
