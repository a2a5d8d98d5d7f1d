"""Gemma in GGUF: its norms, its tokenizer with scores, its start token."""

import json
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from embedded.engine import EngineOptions, start_engine
from embedded.models import find_model
from embedded.student import prepare_student
from tests.finetuning.tuned_students import write_tuned
from training.exporting.export import export_gguf
from training.exporting.verifying import check_tokens

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gemma_checkpoint() -> Path:
    model, cache = find_model("gemma-3-270m"), user_cache_path("pacaloom")
    gguf = cache / "models" / model.sha256[:16] / model.file_name
    if not gguf.is_file():
        pytest.skip("its terms have to be accepted before it is fetched")
    return prepare_student(model, gguf, cache)


def test_gemma_in_gguf_is_the_merged_student_and_cuts_lines_as_its_tokenizer_does(
    gemma_checkpoint: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    version = write_tuned(tmp_path, gemma_checkpoint, "lora", size=0.005)

    export = export_gguf(version, "unused", tmp_path / "gguf", "f16")

    assert export.merge is not None
    assert export.merge.taken.kl <= 1e-4
    assert export.engine is not None
    assert export.engine.kl <= 1e-3
    assert export.engine.same_next_token >= 0.95
    tokenizer = AutoTokenizer.from_pretrained(gemma_checkpoint)
    seeds = Path(__file__).parents[2] / "seeds"
    lines = [
        json.loads(line)["output"]
        for name in ("en.jsonl", "ko.jsonl")
        for line in (seeds / name).read_text(encoding="utf-8").splitlines()
    ]
    file = next((tmp_path / "gguf").glob("*.gguf"))
    with start_engine(file, "g", EngineOptions(parallel=1, threads=1)) as base_url:
        for line in lines:
            check_tokens(base_url.removesuffix("/v1"), line, tokenizer)
    assert len(lines) >= 300
