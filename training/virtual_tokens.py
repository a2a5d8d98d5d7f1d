"""Load a student of prompt tuning so that it is asked like any other.

What was trained are embeddings that stand before every prompt. They get tokens of their own,
``<|prompt-0|>`` and so on, whose rows are added to the input embeddings in memory; the head stays
as it was, so none of them is ever an answer. The tokenizer knows them, and
:func:`training.tokens.start_tokens` puts them first. No checkpoint of a plain architecture can say
this, which is why such a student is neither exported nor served.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.base_model import load_base
from training.tokens import virtual_token

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_with_virtual_tokens(
    version: Path, base: Path
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Load the base with the trained embeddings as tokens of their own, in fp32."""
    from peft.utils.save_and_load import load_peft_weights

    model, tokenizer = load_base(base)
    prompt: torch.Tensor = load_peft_weights(str(version), device="cpu")["prompt_embeddings"]
    names = [virtual_token(number) for number in range(len(prompt))]
    tokenizer.add_tokens(names, special_tokens=True)
    ids: Any = tokenizer.convert_tokens_to_ids(names)
    _embed(model, list(ids), prompt.float())
    return model, tokenizer


def _embed(model: "PreTrainedModel", ids: list[int], rows: "torch.Tensor") -> None:
    """Give the tokens their input embeddings; outputs stay as many as they were."""
    import torch
    from torch import nn

    embedding: Any = model.get_input_embeddings()
    # Where both are one matrix, the head keeps the old one.
    old = embedding.weight.data
    new = torch.zeros(max(len(old), max(ids) + 1), old.shape[1], dtype=old.dtype)
    new[: len(old)] = old
    # Gemma multiplies what it looks up; the trained rows were never multiplied.
    new[ids] = rows / getattr(embedding, "scalar_embed_scale", 1.0)
    embedding.weight = nn.Parameter(new, requires_grad=False)
    embedding.num_embeddings = len(new)
    model.config.tie_word_embeddings = False
