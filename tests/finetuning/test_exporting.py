"""An exported student is the one that was tuned; transformers and llama.cpp are the oracles."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from schemas.exports import ExportManifest, GgufKind
from schemas.manifest import Method
from schemas.records import Language
from schemas.templates import INSTRUCTION
from tests.finetuning.tuned_students import build_tiny_gemma, write_tuned
from training.exporting.export import export_gguf, export_hf
from training.exporting.gguf_metadata import GgufError, read_metadata
from training.exporting.placing import ExportError
from training.exporting.verifying import VerificationError
from training.loading import ModelLoadError, load_model
from training.quiet import quiet_libraries


def load_plainly(folder: Path) -> tuple[Any, Any]:
    """Load as a stranger would, with nothing of ours."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet_libraries():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
        return model, AutoTokenizer.from_pretrained(folder)


def logits_of(model: Any, tokens: list[int]) -> Any:
    import torch

    with torch.no_grad():
        return model(input_ids=torch.tensor([tokens])).logits[0]


@pytest.mark.parametrize("method", ["full", "qlora", "dora"])
def test_an_exported_folder_gives_strangers_the_student_that_is_evaluated(
    tiny_llama: Path, tmp_path: Path, method: Method
) -> None:
    version = write_tuned(tmp_path, tiny_llama, method)

    export = export_hf(version, "unused", tmp_path / "hf", "fp32")

    model, tokenizer = load_plainly(tmp_path / "hf")
    ours, _ = load_model(version)
    tokens = tokenizer("Name the colour. 색을 말해 줘.")["input_ids"]
    assert (logits_of(model, tokens) - logits_of(ours, tokens)).abs().max() < 1e-5
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    found = ExportManifest.model_validate_json((tmp_path / "hf" / "export.json").read_bytes())
    assert found == export
    assert found.model == f"{version.parent.name}/{version.name}"
    assert set(found.files) | {"export.json"} == {f.name for f in (tmp_path / "hf").iterdir()}
    assert (found.merge is None) == (method == "full")


def test_the_folder_asks_in_the_form_that_was_trained(tiny_llama: Path, tmp_path: Path) -> None:
    version = write_tuned(tmp_path, tiny_llama, "full")
    export = export_hf(version, "unused", tmp_path / "hf", "bf16")

    _, tokenizer = load_plainly(tmp_path / "hf")

    questions: dict[Language, str] = {"en": "Name three fruits.", "ko": "과일 세 가지를 말해 줘."}
    for language, question in questions.items():
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
        assert text == INSTRUCTION.render_prompt(question, "", language)
    assert export.template == "instruction"
    assert export.template_hash == INSTRUCTION.hash


@pytest.mark.parametrize("kind", ["f32", "q8_0"])
def test_llama_cpp_makes_the_same_of_the_gguf_file(
    tiny_llama: Path, tmp_path: Path, kind: GgufKind
) -> None:
    # Random halves of this size make attention sharp: with rows interleaved wrongly it differs.
    version = write_tuned(tmp_path, tiny_llama, "qlora", size=0.3)

    export = export_gguf(version, "unused", tmp_path / "gguf", kind)

    assert export.engine is not None
    assert export.engine.positions > 40
    assert export.engine.kl < (1e-4 if kind == "f32" else 5e-2)
    assert export.engine.same_next_token > 0.9
    file = tmp_path / "gguf" / f"{export.model.replace('/', '-')}-{kind}.gguf"
    metadata = read_metadata(file)
    assert metadata["tokenizer.ggml.pre"].value == "gpt-2"
    assert "### 질문" in str(metadata["tokenizer.chat_template"].value)
    assert metadata["tokenizer.ggml.eos_token_id"].value == 1


def test_a_file_that_llama_cpp_reads_otherwise_is_not_given_away(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_as_it_is(data: Any, heads: int) -> Any:
        return data

    version = write_tuned(tmp_path, tiny_llama, "lora", size=0.3)
    monkeypatch.setattr("training.exporting.gguf_tensors._interleave", leave_as_it_is)

    with pytest.raises(VerificationError, match=r"llama\.cpp makes another model of"):
        export_gguf(version, "unused", tmp_path / "gguf", "f32")
    assert not (tmp_path / "gguf").exists()


def test_llama_3s_slowed_rotations_reach_llama_cpp(tiny_llama: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "llama3")
    config = json.loads((folder / "config.json").read_text())
    config["rope_parameters"] = {
        "rope_type": "llama3",
        "rope_theta": 500.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    (folder / "config.json").write_text(json.dumps(config))
    version = write_tuned(tmp_path, folder, "full")

    export = export_gguf(version, "unused", tmp_path / "gguf", "f32")

    assert export.engine is not None
    assert export.engine.kl < 1e-4


def test_a_tokenizer_whose_rule_is_unknown_is_refused_in_one_line(
    tiny_llama: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "odd")
    stated = json.loads((folder / "tokenizer.json").read_text())
    stated["pre_tokenizer"] = {"type": "Whitespace"}
    (folder / "tokenizer.json").write_text(json.dumps(stated))
    version = write_tuned(tmp_path, folder, "full")

    with pytest.raises(GgufError, match=r"\(BPE \+ Whitespace\) splits text by a rule") as caught:
        export_gguf(version, "unused", tmp_path / "gguf", "f16")
    assert "\n" not in str(caught.value)


def test_a_gemma_of_ones_own_is_refused_as_gguf(tiny_llama: Path, tmp_path: Path) -> None:
    version = write_tuned(tmp_path, build_tiny_gemma(tmp_path / "g", tiny_llama), "full")

    with pytest.raises(GgufError, match="only from the embedded gemma-3-270m"):
        export_gguf(version, "unused", tmp_path / "gguf", "f16")


def test_prompt_tuning_is_refused_with_the_reason(tiny_llama: Path, tmp_path: Path) -> None:
    version = write_tuned(tmp_path, tiny_llama, "prompt_tuning")

    with pytest.raises(ExportError, match="stand before every prompt"):
        export_hf(version, "unused", tmp_path / "hf", "bf16")


def test_an_adapter_is_not_exported_on_another_base(
    tiny_llama: Path, other_llama: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(tiny_llama, tmp_path / "base")
    version = write_tuned(tmp_path, base, "lora")
    shutil.copy(other_llama / "model.safetensors", base / "model.safetensors")

    with pytest.raises(ModelLoadError, match="is an adapter for 'tiny' with sha256"):
        export_hf(version, "unused", tmp_path / "hf", "bf16")
    assert not (tmp_path / "hf").exists()


def test_files_of_others_stay_and_an_earlier_export_is_replaced_only_by_force(
    tiny_llama: Path, tmp_path: Path
) -> None:
    version = write_tuned(tmp_path, tiny_llama, "full")
    target = tmp_path / "hf"
    export_hf(version, "unused", target, "bf16")

    with pytest.raises(ExportError, match="add --force"):
        export_hf(version, "unused", target, "fp32")
    assert export_hf(version, "unused", target, "fp32", force=True).weights == "fp32"
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"notes\.txt was not written by an export"):
        export_hf(version, "unused", target, "bf16", force=True)
    with pytest.raises(ExportError, match="is in the version"):
        export_hf(version, "unused", version / "hf", "bf16")
    assert (target / "notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_smollm2_in_gguf_cuts_hundreds_of_lines_as_its_tokenizer_does(
    smollm2_checkpoint: Path, tmp_path: Path
) -> None:
    from embedded.engine import EngineOptions, start_engine
    from training.exporting.verifying import check_tokens

    version = write_tuned(tmp_path, smollm2_checkpoint, "lora", size=0.005)
    export = export_gguf(version, "unused", tmp_path / "gguf", "q8_0")
    assert export.engine is not None
    assert export.engine.kl < 2e-2

    _, tokenizer = load_plainly(smollm2_checkpoint)
    seeds = Path(__file__).parents[2] / "seeds"
    lines = [
        json.loads(line)["output"]
        for name in ("en.jsonl", "ko.jsonl")
        for line in (seeds / name).read_text(encoding="utf-8").splitlines()
    ]
    file = next((tmp_path / "gguf").glob("*.gguf"))
    with start_engine(file, "s", EngineOptions(parallel=1, threads=1)) as base_url:
        for line in lines:
            check_tokens(base_url.removesuffix("/v1"), line, tokenizer)
    assert len(lines) >= 300
