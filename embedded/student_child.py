"""The conversion's process: ``python -m embedded.student_child JSON``, run by embedded.student."""

import sys
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.integrations.gguf.reader import read_gguf_metadata

from embedded.child import exit_with_parent
from embedded.student import Conversion

# What models use for padding, most specific first; the end-of-document token of a chat model
# comes last, since its answers end with another one.
_PAD_TOKENS = ("<pad>", "<|pad|>", "<|endoftext|>")


def main(argument: str) -> None:
    """Write the checkpoint of a GGUF file into an empty folder."""
    exit_with_parent()
    conversion = Conversion.model_validate_json(argument)
    gguf = conversion.gguf
    tokenizer = _load(AutoTokenizer, gguf)
    # Without dequantize the weights stay packed, and can be neither trained nor saved.
    config = GgufConfig(dequantize=True)
    network = _load(AutoModelForCausalLM, gguf, quantization_config=config, dtype=torch.float32)
    _mend(tokenizer, network, _pre_tokenizer_name(gguf))
    network.save_pretrained(conversion.folder)
    tokenizer.save_pretrained(conversion.folder)


def _load(loader: Any, gguf: Path, **options: Any) -> Any:  # noqa: ANN401  # untyped library
    return loader.from_pretrained(
        gguf.parent, gguf_file=gguf.name, local_files_only=True, **options
    )


def _mend(tokenizer: Any, network: Any, pre_tokenizer: object) -> None:  # noqa: ANN401  # untyped
    """Give the tokenizer what the conversion left out or got wrong."""
    tokenizer.model_max_length = network.config.max_position_embeddings
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        tokenizer.pad_token = _find_pad_token(tokenizer)
    for config in (network.config, network.generation_config):
        config.pad_token_id = tokenizer.pad_token_id
    if pre_tokenizer == "smollm":
        # transformers knows no such name and leaves out the split into single digits, so that
        # "½" merged with the space before it, as the model never saw it.
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
        )


def _find_pad_token(tokenizer: Any) -> str:  # noqa: ANN401  # untyped library
    vocabulary = tokenizer.get_vocab()
    for token in _PAD_TOKENS:
        if token in vocabulary and token != tokenizer.eos_token:
            return token
    sys.exit(f"no pad token beside the end token {tokenizer.eos_token!r} in the vocabulary")


def _pre_tokenizer_name(gguf: Path) -> object:
    """Read by which rule llama.cpp splits text before it merges."""
    # The gguf package's reader takes 10 CPU-s over Gemma's 262,144 tokens, this one 0.04.
    metadata, _ = read_gguf_metadata(str(gguf))
    return metadata.get("tokenizer.ggml.pre")


if __name__ == "__main__":
    main(sys.argv[1])
