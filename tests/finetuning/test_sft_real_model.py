from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import TrainingManifest
from training.finetuning.recipe import Recipe
from training.finetuning.sft import finetune
from training.finetuning.student import Student
from training.loading import load_model

pytestmark = pytest.mark.slow


def test_smollm2_learns_by_qlora_in_three_steps_and_loads_again(
    smollm2_checkpoint: Path,
    tmp_path: Path,
    make_dataset: Callable[..., Path],
    make_rows: Callable[[int], Any],
) -> None:
    rows = make_rows(16)
    dataset = make_dataset(tmp_path / "dataset", rows[:12], rows[12:])
    # One thread: two took ten times as long on two cores that other tests kept busy.
    recipe = Recipe(
        method="qlora", max_steps=3, gradient_accumulation=1, learning_rate=1e-3, threads=1
    )

    version = finetune(
        dataset, Student("smollm2-135m", smollm2_checkpoint), recipe, tmp_path / "m", "s", "test"
    )

    manifest = TrainingManifest.model_validate_json((version / "manifest.json").read_bytes())
    assert manifest.steps == 3
    assert manifest.loss_after < manifest.loss_before
    assert manifest.total_parameters - manifest.trainable_parameters == 134_515_008
    assert (version / "adapter_model.safetensors").stat().st_size < 25_000_000
    model, tokenizer = load_model(version, "bf16")
    assert model.num_parameters() == 134_515_008
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") == tokenizer.eos_token_id
