"""Read log-probabilities and likeliest tokens from a model's last states, at a few places only.

The output matrix is the most expensive thing a small model has: for Gemma 3 270M with its 262,144
tokens a logit costs as much as all layers at 1.7 tokens. So only states that a question is about
meet it, some at a time, so that their logits stay small.

A bf16 logit of 20 is a multiple of 1/8, so two answers often tie and the first would win. Those
that matter, the tokens asked for and the likeliest ones of each place, are therefore computed again
from the same weights in fp32; the others only enter a sum over the vocabulary, where their rounding
averages out. That takes an eighth of the time of the whole matrix in fp32, and no copy of it.
"""

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.evaluation.askable import UnsupportedModelError

_LOGITS_AT_ONCE = 1 << 25
"""Held in memory: 128 MB in fp32."""
_EXACT = 8
"""Likeliest tokens of a place whose logits are computed in fp32 where the others are in bf16."""


class OutputMatrix(NamedTuple):
    """What a model does after its layers."""

    weight: Tensor
    """``(vocabulary, hidden)``"""
    bias: Tensor | None
    scale: float
    softcap: float | None

    def log_probs(self, states: Tensor, places: Tensor, tokens: Tensor) -> Tensor:
        """Return the log-probabilities of tokens, in nats, ``(questions,)`` in float64.

        Args:
            states: ``(places, hidden)``
            places: ``(questions,)``: after which state.
            tokens: ``(questions,)``: which token.
        """
        normaliser = torch.cat([self._log_sum(part) for part in self._parts(states)])
        asked = self._exact(states[places], tokens[:, None])[:, 0]
        return (asked - normaliser[places]).double()

    def likeliest(self, states: Tensor) -> Tensor:
        """Return the likeliest token after each state, ``(places,)``; of equal ones the first."""
        return torch.cat([self._find_likeliest(part) for part in self._parts(states)])

    def _parts(self, states: Tensor) -> tuple[Tensor, ...]:
        return states.split(max(1, _LOGITS_AT_ONCE // len(self.weight)))

    def _log_sum(self, states: Tensor) -> Tensor:
        logits = self.logits(states)
        if logits.dtype != torch.float32:
            top = logits.topk(_EXACT, dim=-1).indices
            logits = logits.float().scatter(-1, top, self._exact(states, top))
        return logits.logsumexp(-1)

    def _find_likeliest(self, states: Tensor) -> Tensor:
        logits = self.logits(states)
        if logits.dtype == torch.float32:
            return logits.argmax(-1)
        top = logits.topk(_EXACT, dim=-1).indices.sort(dim=-1).values
        best = self._exact(states, top).argmax(-1, keepdim=True)
        return top.gather(-1, best)[:, 0]

    def logits(self, states: Tensor) -> Tensor:
        logits = torch.nn.functional.linear(states, self.weight, self.bias)
        return logits if self.scale == 1 and self.softcap is None else self._finish(logits)

    def _exact(self, states: Tensor, tokens: Tensor) -> Tensor:
        """Return logits of ``tokens`` ``(places, some)`` in fp32."""
        rows = self.weight[tokens].float()
        logits = torch.matmul(rows, states.float()[..., None])[..., 0]
        return self._finish(logits if self.bias is None else logits + self.bias[tokens].float())

    def _finish(self, logits: Tensor) -> Tensor:
        logits = logits * self.scale
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)


def find_output(model: PreTrainedModel) -> OutputMatrix:
    """Find what a model does after its layers, and try it out on two tokens.

    Raises:
        UnsupportedModelError: It does something else.
    """
    config: Any = model.config.get_text_config()
    head = cast("torch.nn.Linear", model.get_output_embeddings())
    output = OutputMatrix(
        weight=head.weight,
        bias=getattr(head, "bias", None),
        scale=getattr(config, "logit_scale", None) or 1 / getattr(config, "logits_scaling", 1.0),
        softcap=getattr(config, "final_logit_softcapping", None),
    )
    ids = torch.tensor([[0, 1]], device=model.device)
    states: Tensor = model.base_model(input_ids=ids, use_cache=False)[0][0]
    own: Tensor = model(input_ids=ids, use_cache=False).logits[0].float()
    found = output.logits(states).float()
    # A model whose weights are no numbers is named when it is asked.
    if own.isfinite().all() and not torch.allclose(found, own, atol=1e-3, rtol=1e-2):
        raise UnsupportedModelError(
            f"{model.config.model_type} models make logits in a way that is not known here; "
            "evaluate another model."
        )
    return output
