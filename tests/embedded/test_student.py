"""The converted student is the model that the GGUF file is."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from embedded.engine import EngineOptions, start_engine
from embedded.models import find_model
from embedded.student import ConversionError, prepare_student

TEXTS = [
    "Hello world, it's 2023 and we don't know.",
    "def square(x):\n    return x**2  # 10² = 100, ½ of it 50\n",
    "서울의 날씨는 맑고 기온은 23도입니다. ㅋㅋㅋ",
    "### Instruction:\nGive three tips.\n\n### Response:\n",
    "<|im_start|>user\n안녕하세요?<|im_end|>\n",
]


def load(loader: Any, folder: Path, **options: Any) -> Any:
    return loader.from_pretrained(folder, local_files_only=True, **options)


@pytest.mark.slow
def test_logits_equal_those_of_the_file_loaded_directly(
    smollm2_gguf: Path, smollm2_checkpoint: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    ids = torch.tensor([[1, 4093, 198, 19556, 905, 30, 2]])
    config = GgufConfig(dequantize=True)
    options = {"gguf_file": smollm2_gguf.name, "quantization_config": config}
    with torch.inference_mode():
        direct = load(AutoModelForCausalLM, smollm2_gguf.parent, dtype=torch.float32, **options)(
            ids
        ).logits
        converted = load(AutoModelForCausalLM, smollm2_checkpoint)(ids).logits

    assert converted.dtype == torch.float32
    assert torch.equal(converted, direct)


@pytest.mark.slow
def test_tokens_are_those_of_llama_cpp(smollm2_gguf: Path, smollm2_checkpoint: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = load(AutoTokenizer, smollm2_checkpoint)
    options = EngineOptions(parallel=1, context_tokens=256)
    with start_engine(smollm2_gguf, "smollm2-135m", options) as url:
        expected = [ask_for_tokens(url, text) for text in TEXTS]

    assert [tokenizer(text).input_ids for text in TEXTS] == expected
    assert [tokenizer.decode(ids) for ids in expected] == TEXTS


def ask_for_tokens(url: str, text: str) -> list[int]:
    request = urllib.request.Request(  # noqa: S310  # loopback
        url.removesuffix("/v1") + "/tokenize",
        json.dumps({"content": text, "parse_special": True}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310  # loopback
        return json.loads(answer.read())["tokens"]


@pytest.mark.slow
def test_padding_is_not_the_end_of_an_answer(smollm2_checkpoint: Path) -> None:
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    tokenizer = load(AutoTokenizer, smollm2_checkpoint)

    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    assert load(AutoConfig, smollm2_checkpoint).pad_token_id == tokenizer.pad_token_id
    assert load(GenerationConfig, smollm2_checkpoint).pad_token_id == tokenizer.pad_token_id
    assert tokenizer.model_max_length == 8192


@pytest.mark.slow
def test_student_answers_in_english_through_its_chat_template(smollm2_checkpoint: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = load(AutoTokenizer, smollm2_checkpoint)
    network = load(AutoModelForCausalLM, smollm2_checkpoint)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )

    answer = network.generate(**prompt, max_new_tokens=24, do_sample=False)[0]

    assert "Paris" in tokenizer.decode(answer[prompt["input_ids"].shape[1] :])
    assert answer[-1] == tokenizer.eos_token_id


@pytest.mark.slow
def test_file_that_is_no_model_leaves_no_checkpoint(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF, but not really")

    with pytest.raises(ConversionError, match=r"broken\.gguf could not be turned") as caught:
        prepare_student(find_model("smollm2-135m"), broken, tmp_path)

    assert "\n" not in str(caught.value)
    assert [path for path in (tmp_path / "students").iterdir() if path.is_dir()] == []


def test_cache_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file where a folder should be")

    with pytest.raises(ConversionError, match="Not a directory"):
        prepare_student(find_model("smollm2-135m"), tmp_path / "any.gguf", cache)


def test_finished_checkpoint_is_returned_without_the_file(tmp_path: Path) -> None:
    model = find_model("smollm2-135m")
    folder = tmp_path / "students" / f"{model.sha256[:16]}-1"
    folder.mkdir(parents=True)

    assert prepare_student(model, tmp_path / "gone.gguf", tmp_path) == folder
