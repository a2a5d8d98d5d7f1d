"""Turn an embedded model's GGUF file into a Hugging Face checkpoint that can be trained.

Weights are stored as float32, twice the size of bfloat16 (538 MB against 269 MB for SmolLM2). A
4-bit weight is scale * code + minimum, which the 8 bits of a bfloat16 mantissa cannot hold, and the
checkpoint shall be the model that the file is, not one beside it; transformers also takes the
stored type as the type to load, and training in bfloat16 should be asked for.

Conversion grows with the weights and the vocabulary: 20 CPU-s and 1.2 GB at the peak for SmolLM2,
50 and 3.3 GB for Gemma 3 270M with its 262,144 tokens. So it is done once and kept.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from embedded.models import EmbeddedModel
from schemas.errors import PacaloomError
from schemas.storage import atomic_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CONVERTER_VERSION = 1
"""Part of the folder's name: raised when the same file shall give another checkpoint."""


class ConversionError(PacaloomError):
    """A model file cannot become a checkpoint."""


def prepare_student(model: EmbeddedModel, gguf: Path, cache: Path) -> Path:
    """Return the checkpoint folder of a model, converting the file first when there is none.

    The tokenizer is mended on the way: its pad token differs from its end-of-text token, because a
    trainer that masks padding would mask the end as well and the student would never learn to
    stop; and its maximum length is the model's.

    Args:
        model: Whose file it is.
        gguf: The file, as :func:`embedded.fetch.fetch_model` returned it.
        cache: Folder shared by all checkouts of a user.

    Raises:
        ConversionError: The vocabulary has no token that could serve as padding.
    """
    folder = cache / "students" / f"{model.sha256[:16]}-{CONVERTER_VERSION}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            # Half a gigabyte that a killed conversion left; nobody else holds the lock.
            for leftover in folder.parent.glob(f".{folder.name}.*/"):
                shutil.rmtree(leftover)
            _convert(gguf, folder)
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    with _quiet_transformers():
        tokenizer = _load_tokenizer(gguf)
        network = _load_network(gguf)
        _mend(tokenizer, network, gguf)
        with atomic_folder(folder) as temporary:
            network.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)


def _load_tokenizer(gguf: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    loader: Any = AutoTokenizer
    return loader.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)


def _load_network(gguf: Path) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    loader: Any = AutoModelForCausalLM
    return loader.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        # Without it the weights stay packed, and can be neither trained nor saved.
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
        local_files_only=True,
    )


def _mend(tokenizer: Any, network: Any, gguf: Path) -> None:  # noqa: ANN401  # untyped library
    """Give the tokenizer what the conversion left out or got wrong."""
    tokenizer.model_max_length = network.config.max_position_embeddings
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        tokenizer.pad_token = _find_pad_token(tokenizer, gguf)
    for config in (network.config, network.generation_config):
        config.pad_token_id = tokenizer.pad_token_id
    if _pre_tokenizer_name(gguf) == "smollm":
        from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

        # transformers knows no such name and leaves out the split into single digits, so that
        # "½" merged with the space before it, as the model never saw it.
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
        )


def _find_pad_token(tokenizer: Any, gguf: Path) -> str:  # noqa: ANN401  # untyped library
    vocabulary = tokenizer.get_vocab()
    for token in ("<pad>", "<|pad|>", "<|endoftext|>", tokenizer.unk_token):
        if token in vocabulary and token != tokenizer.eos_token:
            return token
    raise ConversionError(
        f"{gguf}: wanted a pad token that differs from the end token {tokenizer.eos_token!r}, "
        "found none in the vocabulary; choose another student."
    )


def _pre_tokenizer_name(gguf: Path) -> str:
    """Read by which rule llama.cpp splits text before it merges."""
    from gguf import GGUFReader

    field = GGUFReader(gguf).get_field("tokenizer.ggml.pre")
    return "" if field is None else str(field.contents())


@contextmanager
def _quiet_transformers() -> Generator[None]:
    """Keep transformers' progress bars off the terminal, and leave the setting as it was."""
    from transformers.utils import logging

    enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            logging.enable_progress_bar()
