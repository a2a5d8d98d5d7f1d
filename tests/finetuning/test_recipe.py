import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.manifest import Method
from training.finetuning.recipe import Hardware, Recipe, RecipeError, cpu_computes_bf16, resolve

CPU = Hardware("cpu", computes_bf16=False, threads=2)
FAST_CPU = Hardware("cpu", computes_bf16=True, threads=8)
OLD_GPU = Hardware("cuda", computes_bf16=False, threads=8)


@pytest.mark.parametrize(("method", "rate"), [("full", 2e-5), ("lora", 2e-4), ("qlora", 2e-4)])
def test_the_learning_rate_follows_the_method(method: Method, rate: float) -> None:
    assert resolve(Recipe(method=method), CPU).method.learning_rate == rate


def test_a_named_learning_rate_stays() -> None:
    assert resolve(Recipe(method="full", learning_rate=1e-3), CPU).method.learning_rate == 1e-3


def test_bf16_is_taken_only_where_the_processor_computes_in_it() -> None:
    assert resolve(Recipe(), FAST_CPU).precision == "bf16"
    assert resolve(Recipe(), CPU).precision == "fp32"
    assert resolve(Recipe(precision="fp32"), FAST_CPU).precision == "fp32"


def test_activations_are_recomputed_on_a_gpu_and_never_on_cpu() -> None:
    assert resolve(Recipe(), OLD_GPU).gradient_checkpointing
    assert not resolve(Recipe(), FAST_CPU).gradient_checkpointing


def test_all_threads_are_taken_unless_the_recipe_names_a_count() -> None:
    assert resolve(Recipe(), FAST_CPU).threads == 8
    assert resolve(Recipe(threads=1), FAST_CPU).threads == 1


def test_bf16_by_name_is_refused_on_a_gpu_without_it() -> None:
    with pytest.raises(RecipeError, match="Use 'fp32'"):
        resolve(Recipe(precision="bf16"), OLD_GPU)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param("flags : fpu avx512f avx512_bf16 sse", True, id="avx512"),
        pytest.param("flags : fpu amx_bf16 sse", True, id="amx"),
        pytest.param("Features : fp asimd bf16", True, id="arm"),
        pytest.param("flags : fpu avx512f avx2", False, id="without"),
    ],
)
def test_bf16_is_read_from_the_processor_flags(tmp_path: Path, flags: str, expected: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\n{flags}\n")

    assert cpu_computes_bf16(cpuinfo) is expected


def test_without_a_processor_list_fp32_is_the_safe_answer(tmp_path: Path) -> None:
    assert cpu_computes_bf16(tmp_path / "absent") is False


@pytest.mark.parametrize(
    "wrong",
    [{"method": "adapters"}, {"epochs": 0}, {"learning_rate": -1}, {"r": 0}, {"lora_r": 8}],
    ids=["method", "epochs", "rate", "rank", "unknown-field"],
)
def test_a_recipe_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate(wrong)


def test_every_field_says_what_it_is() -> None:
    undescribed = [name for name, field in Recipe.model_fields.items() if not field.description]

    assert undescribed == []


def test_entry_modules_import_no_heavy_library() -> None:
    probe = (
        "import sys, training.finetuning.recipe, training.finetuning.sft, training.loading;"
        "print([name for name in ('torch', 'numpy', 'pyarrow', 'transformers', 'datasets')"
        " if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
