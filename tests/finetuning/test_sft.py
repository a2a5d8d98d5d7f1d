import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import PacaloomError, UserError
from schemas.manifest import Method, TrainingManifest
from schemas.templates import INSTRUCTION
from training.base_model import ModelLoadError, weights_sha256
from training.finetuning.recipe import Recipe
from training.finetuning.sft import finetune
from training.finetuning.student import Student
from training.loading import load_model

MakeDataset = Callable[..., Path]
MakeRows = Callable[[int], Sequence[Any]]
METHODS: tuple[Method, ...] = ("full", "lora", "qlora")
REPOSITORY = Path(__file__).parents[2]


def quick(method: Method, **changes: Any) -> Recipe:
    """Give a recipe that teaches the tiny llama in a second, the same bytes each time."""
    settings: dict[str, Any] = {
        "method": method,
        "max_steps": 8,
        "learning_rate": 5e-3,
        "gradient_accumulation": 1,
        **({} if method == "full" else {"dropout": 0.1}),
        "save_steps": 50,
        "precision": "fp32",
        "threads": 1,
        **changes,
    }
    return Recipe(**settings)


def read_manifest_of(version: Path) -> TrainingManifest:
    return TrainingManifest.model_validate_json((version / "manifest.json").read_bytes())


@pytest.fixture(scope="module")
def tuned(
    tiny_llama: Path, colours: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Method], Path]:
    """Tune one student by a method, undisturbed, when it is first asked for."""
    root = tmp_path_factory.mktemp("models")
    versions: dict[Method, Path] = {}

    def tune(method: Method) -> Path:
        if method not in versions:
            student = Student("tiny", tiny_llama)
            versions[method] = finetune(
                colours, student, quick(method), root, f"tiny-{method}", "test"
            )
        return versions[method]

    return tune


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("method", ["full", "lora", pytest.param("qlora", marks=pytest.mark.slow)])
def test_tuning_lowers_the_held_out_loss_in_either_language(
    tiny_llama: Path,
    tmp_path: Path,
    make_dataset: MakeDataset,
    make_rows: MakeRows,
    method: Method,
    language: str,
) -> None:
    rows = [row for row in make_rows(32) if row.language == language]
    dataset = make_dataset(tmp_path / "dataset", rows[:12], rows[12:])

    version = finetune(
        dataset, Student("tiny", tiny_llama), quick(method), tmp_path / "models", "t", "test"
    )

    manifest = read_manifest_of(version)
    assert manifest.loss_after < 0.9 * manifest.loss_before


@pytest.mark.parametrize("method", METHODS)
def test_the_loaded_version_has_the_held_out_loss_that_training_measured(
    tuned: Callable[[Method], Path], make_rows: MakeRows, method: Method
) -> None:
    import torch

    from training.finetuning.contract.encoding import IGNORED, tokenize_rows
    from training.finetuning.data import Row
    from training.templating import find_template

    model, tokenizer = load_model(tuned(method))
    held_out = [Row(str(index), *row) for index, row in enumerate(make_rows(24)[18:])]

    total, count = 0.0, 0
    for example in tokenize_rows(held_out, find_template("instruction", tokenizer), tokenizer):
        labels = torch.tensor([example.labels])
        with torch.no_grad():
            loss = model(input_ids=torch.tensor([example.input_ids]), labels=labels).loss
        labelled = sum(label != IGNORED for label in example.labels)
        total += loss.item() * labelled
        count += labelled

    assert total / count == pytest.approx(read_manifest_of(tuned(method)).loss_after, rel=1e-4)


def test_the_manifest_says_what_was_made_from_what(
    tuned: Callable[[Method], Path], tiny_llama: Path, colours: Path
) -> None:
    version = tuned("qlora")
    manifest = read_manifest_of(version)

    assert version.name == manifest.version
    assert manifest.version.startswith("0001-")
    assert manifest.student_sha256 == weights_sha256(tiny_llama)
    dataset = json.loads((colours / "manifest.json").read_text())
    assert manifest.dataset == f"{dataset['name']}/{dataset['version']}"
    assert manifest.dataset_content_hash == dataset["content_hash"]
    assert manifest.template_hash == INSTRUCTION.hash
    assert manifest.contract.rows == {"train": 18, "validation": 6}
    assert manifest.steps == 8
    assert manifest.recipe["learning_rate"] == 5e-3
    assert manifest.peak_memory_mb > 50
    # Rank 16 beside seven projections of two layers: 16 * (sum of in and out features).
    features = 2 * (128 + 128) + 2 * (128 + 64) + 3 * (128 + 256)
    assert manifest.trainable_parameters == 2 * 16 * features
    assert manifest.total_parameters - manifest.trainable_parameters == 341_120


def test_a_version_holds_safetensors_a_tokenizer_and_a_card_with_front_matter(
    tuned: Callable[[Method], Path],
) -> None:
    for method in METHODS:
        version = tuned(method)
        names = {path.name for path in version.iterdir()}
        weights = "model.safetensors" if method == "full" else "adapter_model.safetensors"
        assert {weights, "tokenizer.json", "README.md", "manifest.json"} <= names
        assert not any(name.endswith((".bin", ".pt", ".pth", ".pkl")) for name in names)
        listed = {file.path for file in read_manifest_of(version).files}
        assert listed == names - {"manifest.json"}
        _, front_matter, card = (version / "README.md").read_text().split("---\n", 2)
        assert yaml.safe_load(front_matter)["base_model"] == "tiny"
        assert yaml.safe_load(front_matter)["language"] == ["en", "ko"]
        assert version.name in card


class PowerCutError(BaseException):
    """Ends a run as abruptly as a test inside one process can."""


def cut_power_at(step: int) -> Callable[..., None]:
    def progress(done: int, total: int, note: str = "") -> None:
        if done == step:
            raise PowerCutError

    return progress


@pytest.mark.slow
def test_a_run_killed_outright_leaves_no_version_and_continues(
    tiny_llama: Path, colours: Path, tuned: Callable[[Method], Path], tmp_path: Path
) -> None:
    recipe = quick("qlora", save_steps=2)
    script = f"""
import os, signal
from pathlib import Path
from training.finetuning.recipe import Recipe
from training.finetuning.sft import finetune
from training.finetuning.student import Student

def kill(done, total, note=""):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)

recipe = Recipe.model_validate_json({recipe.model_dump_json()!r})
student = Student("tiny", Path({str(tiny_llama)!r}))
finetune(Path({str(colours)!r}), student, recipe, Path({str(tmp_path)!r}), "t", "test", kill)
"""
    killed = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert all(path.name.startswith(".run-") for path in (tmp_path / "t").iterdir())

    version = finetune(colours, Student("tiny", tiny_llama), recipe, tmp_path, "t", "test")

    assert version.name == tuned("qlora").name


def test_another_recipe_does_not_continue_the_run_of_this_one(
    tiny_llama: Path, colours: Path, tmp_path: Path
) -> None:
    student = Student("tiny", tiny_llama)
    with pytest.raises(PowerCutError):
        finetune(colours, student, quick("lora"), tmp_path, "t", "test", cut_power_at(1))
    steps: list[int] = []

    finetune(
        colours, student, quick("lora", r=8, max_steps=1), tmp_path, "t", "test",
        lambda done, total, note="": steps.append(done),
    )  # fmt: skip

    assert steps[:2] == [0, 1]


def test_the_same_weights_are_published_once(
    tiny_llama: Path, colours: Path, tmp_path: Path
) -> None:
    student = Student("tiny", tiny_llama)

    def tune(random_seed: int) -> Path:
        recipe = quick("lora", max_steps=1, random_seed=random_seed)
        return finetune(colours, student, recipe, tmp_path, "t", "test")

    first, again, other = (tune(seed) for seed in (0, 0, 1))

    assert again == first
    assert other.name.startswith("0002-")


def test_training_prints_nothing(
    tiny_llama: Path, colours: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    finetune(colours, Student("tiny", tiny_llama), quick("qlora"), tmp_path, "t", "test")

    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_an_adapter_is_refused_on_another_base(
    tiny_llama: Path, other_llama: Path, colours: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(tiny_llama, tmp_path / "base")
    version = finetune(colours, Student("tiny", base), quick("lora"), tmp_path, "t", "test")
    shutil.copy(other_llama / "model.safetensors", base / "model.safetensors")

    with pytest.raises(ModelLoadError, match="is an adapter for 'tiny' with sha256"):
        load_model(version)

    shutil.rmtree(base)
    with pytest.raises(ModelLoadError, match="weights should be in"):
        load_model(version)


def test_rows_above_the_limit_are_refused_or_by_choice_left_out_and_counted(
    tiny_llama: Path,
    tmp_path: Path,
    make_dataset: MakeDataset,
    make_rows: MakeRows,
) -> None:
    rows = [row._replace(output=row.output * 90) if i == 3 else row
            for i, row in enumerate(make_rows(24))]  # fmt: skip
    dataset = make_dataset(tmp_path / "dataset", rows[:18], rows[18:])
    student = Student("tiny", tiny_llama)

    with pytest.raises(
        UserError, match=r"longer than the limit: 1 of 24 rows, .* the limit is 300"
    ):
        finetune(dataset, student, quick("lora", max_length_tokens=300), tmp_path, "t", "test")

    recipe = quick("lora", max_length_tokens=300, on_overlong="drop")
    manifest = read_manifest_of(finetune(dataset, student, recipe, tmp_path, "t", "test"))
    assert (manifest.contract.rows["train"], manifest.contract.overlong) == (17, 1)


def test_the_students_own_limit_holds_too(
    tiny_llama: Path, tmp_path: Path, make_dataset: MakeDataset, make_rows: MakeRows
) -> None:
    rows = [row._replace(output=row.output * 100) for row in make_rows(24)]
    dataset = make_dataset(tmp_path / "dataset", rows[:18], rows[18:])

    with pytest.raises(UserError, match="the limit is 512"):
        finetune(dataset, Student("t", tiny_llama), quick("lora"), tmp_path, "t", "test")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"student": "absent"}, "found no folder there", id="student"),
        pytest.param({"dataset": "absent"}, "is not a dataset version", id="dataset"),
        pytest.param({"name": "../t"}, "A model name is", id="name"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(
    tiny_llama: Path, colours: Path, tmp_path: Path, change: dict[str, str], complaint: str
) -> None:
    dataset = tmp_path / change["dataset"] if "dataset" in change else colours
    path = tmp_path / change["student"] if "student" in change else tiny_llama

    with pytest.raises(UserError, match=complaint):
        finetune(
            dataset, Student("tiny", path), quick("lora"), tmp_path / "models",
            change.get("name", "t"), "test",
        )  # fmt: skip
    assert not (tmp_path / "models").exists()


def test_a_folder_that_cannot_be_written_is_a_failure_in_one_line(
    tiny_llama: Path, colours: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")

    with pytest.raises(PacaloomError, match="cannot be made") as info:
        finetune(colours, Student("t", tiny_llama), quick("lora"), tmp_path / "models", "t", "test")
    assert info.value.exit_status == 1
