import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import Method
from training.finetuning.memory.describing import describe_plan, describe_savings
from training.finetuning.memory.fitting import (
    MemoryTooSmallError,
    common_gpus,
    fit_gpus,
    propose,
    read_available_mb,
    refuse_if_it_cannot_fit,
)
from training.finetuning.memory.plan import RowLength, plan_memory
from training.finetuning.memory.shape import (
    Linear,
    StudentShape,
    UnsupportedStudentError,
    read_shape,
)
from training.finetuning.recipe import Hardware, Recipe, Settings, resolve

CPU = Hardware("cpu", computes_bf16=True, threads=1)


def make_shape(**changes: Any) -> StudentShape:
    """Give SmolLM2-135M's sizes."""
    block = [(576, 576), (192, 576), (192, 576), (576, 576), (1536, 576), (1536, 576), (576, 1536)]
    sizes: dict[str, Any] = {
        "model_type": "llama",
        "vocabulary": 49152,
        "hidden": 576,
        "intermediate": 1536,
        "layers": 30,
        "heads": 9,
        "key_heads": 3,
        "head_size": 64,
        "longest": 8192,
        "window": None,
        "embedding_parameters": 49152 * 576,
        "head_parameters": 0,
        "other_parameters": 61 * 576,
        "linears": tuple(Linear(*sizes) for _ in range(30) for sizes in block),
        "norms": 2,
        "has_head_norms": False,
        "is_gated": True,
        "weight_bytes": 538_060_032,
        **changes,
    }
    return StudentShape(**sizes)


def decide(method: Method, **changes: Any) -> tuple[Recipe, Settings]:
    values: dict[str, Any] = {"precision": "fp32", **changes}
    recipe = Recipe(method=method, **values)
    return recipe, resolve(recipe, CPU)


ROWS = [RowLength(256, 128)] * 20


def test_states_are_those_of_the_papers() -> None:
    shape = make_shape()
    recipe, settings = decide("full", gradient_accumulation=1, batch_size=1)

    estimate = plan_memory(shape, recipe, settings, [RowLength(16, 8)], process_mb=0)

    # 134,515,008 parameters: 4 bytes of weight, 4 of gradient, 8 of AdamW's moments.
    assert estimate.weights_mb == pytest.approx(538.06, abs=0.01)
    assert estimate.gradients_mb == pytest.approx(538.06, abs=0.01)
    assert estimate.optimizer_mb == pytest.approx(1076.12, abs=0.01)


@pytest.mark.parametrize(
    ("head", "accumulation", "besides"),
    [(0, 1, 1), (0, 2, 2), (49152 * 576, 1, 0)],
)
def test_a_tied_embedding_and_each_further_batch_bring_a_gradient_more(
    head: int, accumulation: int, besides: int
) -> None:
    shape = make_shape(head_parameters=head)
    recipe, settings = decide("full", gradient_accumulation=accumulation, batch_size=1)

    estimate = plan_memory(shape, recipe, settings, [RowLength(16, 8)] * 4, process_mb=0)

    states = 16 * shape.parameters / 1e6
    assert estimate.total_mb - estimate.process_mb == pytest.approx(
        states + besides * 49152 * 576 * 4 / 1e6, rel=0.005
    )


def test_files_in_16_bits_are_converted_tensor_by_tensor() -> None:
    in_fp32, in_bf16 = make_shape(), make_shape(weight_bytes=269_030_016)
    recipe, settings = decide("prompt_tuning", batch_size=1)

    plans = [
        plan_memory(shape, recipe, settings, [RowLength(1, 1)]) for shape in (in_fp32, in_bf16)
    ]

    assert [plan.highest_at for plan in plans] == ["loss", "loading"]
    assert plans[1].working_mb == pytest.approx(49152 * 576 * 2 / 1e6)


def test_a_4_bit_base_and_its_adapters_are_counted_as_in_the_paper() -> None:
    shape = make_shape()
    recipe, settings = decide("qlora", r=16)

    estimate = plan_memory(shape, recipe, settings, ROWS, process_mb=0)

    # QLoRA, section 3: 0.5 byte and 0.127 bits of scales a parameter, here 106.2M of them; the
    # other 28.3M stay fp32. Rank 16 beside seven projections of thirty blocks.
    nf4 = 106_168_320 * (0.5 + 0.127 / 8)
    assert estimate.weights_mb == pytest.approx((nf4 + 28_346_688 * 4) / 1e6, rel=0.005)
    features = 2 * (576 + 576) + 2 * (576 + 192) + 3 * (576 + 1536)
    assert estimate.adapters_mb == pytest.approx(30 * 16 * features * 4 / 1e6)


def test_a_plan_grows_with_length_and_batch_and_falls_with_lighter_methods() -> None:
    shape = make_shape()

    def total(method: Method, tokens: int = 256, **changes: Any) -> float:
        recipe, settings = decide(method, **changes)
        return plan_memory(shape, recipe, settings, [RowLength(tokens, tokens)] * 8).total_mb

    assert total("lora", 256) < total("lora", 512)
    assert total("lora", batch_size=1) < total("lora", batch_size=2)
    assert total("qlora") < total("lora") < total("full")
    assert total("lora") < total("dora")
    assert total("prompt_tuning") < total("lora")
    assert total("full", gradient_accumulation=1) < total("full", gradient_accumulation=2)
    assert total("full", optimizer="adamw-8bit") < total("full")


def test_embeddings_that_dominate_are_said_to_stay() -> None:
    gemma = make_shape(embedding_parameters=262144 * 640)

    line = describe_savings(gemma)

    assert line is not None
    assert "61% of this student's 274M parameters" in line
    assert describe_savings(make_shape(embedding_parameters=1000)) is None


def test_the_rows_of_a_plan_add_up_to_its_sum() -> None:
    shape = make_shape()
    recipe, settings = decide("qlora", precision="bf16")
    estimate = plan_memory(shape, recipe, settings, ROWS)

    *parts, whole = describe_plan(estimate, shape, recipe, settings)

    assert whole.part == "sum"
    assert sum(part.megabytes for part in parts) == pytest.approx(whole.megabytes)
    assert any("in 4 bits" in part.why for part in parts)


def test_a_run_that_fits_is_not_refused() -> None:
    shape = make_shape()
    recipe, settings = decide("lora")
    estimate = plan_memory(shape, recipe, settings, ROWS)

    refuse_if_it_cannot_fit(estimate, shape, recipe, settings, ROWS, estimate.total_mb)


@pytest.mark.parametrize(
    ("method", "available", "proposed"),
    [
        ("lora", 2400, "--batch-size 2 --gradient-accumulation 8, 16 rows a step"),
        ("full", 2500, "--method lora --batch-size 2"),
        ("full", 1300, "--method qlora --batch-size"),
    ],
)
def test_a_refusal_proposes_what_fits_by_the_same_plan(
    method: Method, available: float, proposed: str
) -> None:
    shape = make_shape()
    recipe, settings = decide(method)
    estimate = plan_memory(shape, recipe, settings, ROWS)

    with pytest.raises(MemoryTooSmallError, match=r"GB are available") as info:
        refuse_if_it_cannot_fit(estimate, shape, recipe, settings, ROWS, available)
    assert proposed in str(info.value)
    assert "\n" not in str(info.value)

    found = propose(shape, recipe, settings, ROWS, available)
    assert found is not None
    assert found.total_mb <= available
    decided = resolve(found.recipe, CPU)
    assert plan_memory(shape, found.recipe, decided, ROWS).total_mb == found.total_mb
    assert found.recipe.batch_size * found.recipe.gradient_accumulation == 16


def test_a_few_long_rows_are_proposed_to_be_left_out() -> None:
    shape = make_shape()
    recipe, settings = decide("qlora", batch_size=1)
    rows = [*[RowLength(128, 64)] * 30, RowLength(4096, 64)]

    found = propose(shape, recipe, settings, rows, 1500)

    assert found is not None
    assert "--max-length-tokens 128 --on-overlong drop, without 1 of 31 rows" in found.text


def test_where_nothing_fits_a_gpu_is_named_that_would_do() -> None:
    shape = make_shape()
    recipe, settings = decide("full")
    estimate = plan_memory(shape, recipe, settings, ROWS)

    with pytest.raises(MemoryTooSmallError, match=r"it would on a GPU of 8 GB \(RTX 4060"):
        refuse_if_it_cannot_fit(estimate, shape, recipe, settings, ROWS, 700)


def test_larger_gpus_hold_no_less() -> None:
    seven_billion = make_shape(
        hidden=4096, layers=32, linears=tuple([Linear(4096, 4096 * 12)] * 32), heads=32,
        key_heads=32, head_size=128, intermediate=11008, embedding_parameters=32000 * 4096,
        head_parameters=32000 * 4096, vocabulary=32000,
    )  # fmt: skip
    recipe, _ = decide("lora", precision="bf16")

    fits = fit_gpus(seven_billion, recipe, [RowLength(512, 256)] * 20)

    assert [fit.gpu.gigabytes for fit in fits] == [gpu.gigabytes for gpu in common_gpus()]
    for small, large in pairwise(fits):
        for method, size in small.batches.items():
            assert large.batches[method] >= size
    assert "full" not in fits[-1].batches  # 16 bytes a parameter are 110 GB.
    assert "qlora" in fits[2].batches


def test_available_memory_is_what_the_container_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    # Between two looks others may take or leave much.
    there = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: there)
    free = read_available_mb("cpu", tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1\n")
    assert read_available_mb("cpu", tmp_path) == pytest.approx(free, rel=0.05)
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")

    held = psutil.Process().memory_info().rss / 1e6
    assert read_available_mb("cpu", tmp_path) == pytest.approx(held + 2, rel=0.05)


def test_the_shape_is_read_without_loading_anything(tiny_llama: Path) -> None:
    shape = read_shape(tiny_llama)

    assert (shape.hidden, shape.layers, shape.heads, shape.key_heads) == (128, 2, 4, 2)
    assert shape.parameters == 341_120
    assert len(shape.linears) == 14
    assert (shape.norms, shape.is_gated, shape.has_head_norms) == (2, True, False)
    code = (
        "import sys, pathlib\n"
        "from training.finetuning.memory import describing, fitting, plan, shape\n"
        "shape.read_shape(pathlib.Path(sys.argv[1]))\n"
        "sys.exit('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tiny_llama)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode == 0


@pytest.mark.parametrize(
    ("tensor", "kinds", "complaint"),
    [
        ("model.layers.0.mlp.experts.0.up_proj.weight", None, "experts"),
        ("model.layers.0.mixer.in_proj.weight", None, "mixer"),
        (None, ["full_attention", "linear_attention"], "linear_attention"),
    ],
)
def test_layers_that_no_method_knows_are_refused_by_name(
    tiny_llama: Path, tmp_path: Path, tensor: str | None, kinds: list[str] | None, complaint: str
) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_llama, tmp_path / "student")
    if tensor:
        weights = load_file(folder / "model.safetensors")
        weights[tensor] = weights["model.norm.weight"].clone()
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    if kinds:
        config["layer_types"] = kinds
    (folder / "config.json").write_text(json.dumps(config))

    with pytest.raises(UnsupportedStudentError, match=complaint):
        read_shape(folder)
