"""Cross entropy over labelled positions only, a chunk of them at a time.

Logits are the largest tensor of a small student's step: 1,024 positions of Gemma's 262,144 words
are 1.1 GB in fp32, and their gradient as much again. But only positions with a label have a loss,
and each of them has its own: so the labelled ones are taken out, cut into chunks, and a chunk's
logits become its loss and its gradients at once and are gone before the next chunk's exist. Other
libraries that cut the loss into chunks (TRL 1.16, after Liger) compute all logits again in the
backward pass; nothing is computed twice here.

What stands between the last hidden state and the logits (Gemma 2's soft cap, Granite's and Cohere's
scales, a bias) is not written again here, where it could differ: the model's own forward does it,
with a stand-in for its decoder that hands it one chunk of hidden states after the other.

Cost per labelled position: one row of logits, and of the head's products one forward and one
backward (two where the head is trained). Memory: a chunk's logits three times over, whatever the
number of positions. This module imports torch and is itself imported only when a run starts.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.distributed.fsdp import FSDPModule
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from training.finetuning.contract.encoding import IGNORED
from training.finetuning.loss_chunks import chunk_positions


def add_labelled_loss(model: PreTrainedModel) -> None:
    """Let ``model(..., loss_labels=labels)`` return the loss alone, summed over labelled positions.

    ``labels`` are (batch, seq), not shifted. Hidden states may be longer: what prompt tuning puts
    before a row has no label. Without ``loss_labels`` the forward is what it was. To be called
    before anything wraps the model (autocast, DDP, FSDP), so that the loss is computed inside: they
    gather weights, cast and synchronize around a forward.
    """
    original = model.forward

    @wraps(original)  # generate() looks at the signature for what the model takes.
    def forward(*args: Any, loss_labels: Tensor | None = None, **kwargs: Any) -> Any:  # noqa: ANN401
        if loss_labels is None:
            return original(*args, **kwargs)
        # Looked up at each call: FSDP puts other modules in their places after this was called.
        decoder = cast("nn.Module", getattr(model, model.base_model_prefix))
        kwargs.pop("labels", None)
        outputs = decoder(*args, **{**kwargs, "use_cache": False})
        hidden, targets = _take_labelled(outputs.last_hidden_state, loss_labels)
        head = _Head(model, original, outputs)
        if any(isinstance(module, FSDPModule) for module in model.modules()):
            # FSDP would take the chunks' backward passes for that of the step, and take the weights
            # away before it.
            logits = head.logits(hidden).float()
            return CausalLMOutput(
                loss=nn.functional.cross_entropy(logits, targets, reduction="sum")
            )
        trained = [parameter for parameter in head.parameters() if parameter.requires_grad]
        wanted = torch.is_grad_enabled()
        return CausalLMOutput(loss=_ChunkedLoss.apply(hidden, targets, head, wanted, *trained))

    model.forward = forward


def count_labelled(labels: Tensor) -> int:
    """Count the positions that have a loss; a row's first token is predicted by nothing."""
    return int((labels[:, 1:] != IGNORED).sum().item())


def _take_labelled(hidden: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Pair the hidden states that predict a labelled token, (n, width), with those tokens, (n)."""
    following = labels[:, 1:]
    labelled = following != IGNORED
    # Virtual tokens come first, and the last position predicts nothing.
    predicting = hidden[:, hidden.shape[1] - labels.shape[1] : -1]
    return predicting[labelled], following[labelled]


class _Head(NamedTuple):
    """All of a model that comes after its decoder."""

    model: PreTrainedModel
    forward: Callable[..., Any]
    outputs: Any
    """The decoder's, which the model's forward may look into."""

    def projection(self) -> nn.Module:
        return cast("nn.Module", self.model.get_output_embeddings())

    def parameters(self) -> list[nn.Parameter]:
        decoder = getattr(self.model, self.model.base_model_prefix)
        found = [*self.projection().parameters()]
        for child in self.model.children():
            if child is not decoder:
                found += child.parameters()
        return list(dict.fromkeys(found))

    def chunk_positions(self) -> int:
        return chunk_positions(self.model.config.get_text_config().vocab_size)

    def logits(self, hidden: Tensor) -> Tensor:
        """Compute the logits (n, vocabulary) of hidden states (n, width)."""
        with self._without_decoder(hidden[None]):
            # Indexed by [0], the gradient of the logits would be copied into another of their size.
            return self.forward(inputs_embeds=hidden[None], use_cache=False).logits.squeeze(0)

    @contextmanager
    def rounded_once(self) -> Generator[None]:
        """Round a frozen weight for all chunks: autocast remembers only what is trained."""
        projection = self.projection()
        weight = cast("nn.Parameter", projection.weight)
        kind = weight.device.type
        if weight.requires_grad or not torch.is_autocast_enabled(kind):
            yield
            return
        rounded = weight.detach().to(torch.get_autocast_dtype(kind))
        projection.weight = nn.Parameter(rounded, requires_grad=False)
        try:
            yield
        finally:
            projection.weight = weight

    @contextmanager
    def _without_decoder(self, hidden: Tensor) -> Generator[None]:
        name = self.model.base_model_prefix
        decoder = getattr(self.model, name)
        outputs = type(self.outputs)(**{**self.outputs, "last_hidden_state": hidden})
        setattr(self.model, name, _StandIn(outputs))
        try:
            yield
        finally:
            setattr(self.model, name, decoder)


class _StandIn(nn.Module):
    """A decoder that has its answer ready."""

    def __init__(self, outputs: Any) -> None:  # noqa: ANN401 (a model output of the architecture)
        super().__init__()
        self._outputs = outputs

    def forward(self, *_: object, **__: object) -> Any:  # noqa: ANN401
        return self._outputs


class _ChunkedLoss(torch.autograd.Function):
    """Sum of cross entropies whose gradients are computed together with it."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 (torch's)
        hidden: Tensor,
        targets: Tensor,
        head: _Head,
        wanted: bool,
        *trained: nn.Parameter,
    ) -> Tensor:
        """Compute the loss of hidden states (n, width) and targets (n), and gradients if wanted."""
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        towards_hidden = torch.empty_like(hidden) if wanted else hidden
        towards_trained: Sequence[Any] = [None for _ in trained]
        size = head.chunk_positions()
        with head.rounded_once(), torch.set_grad_enabled(wanted):
            for start in range(0, len(targets), size):
                rows = slice(start, start + size)
                chunk = hidden[rows].detach().requires_grad_(wanted)
                logits = head.logits(chunk)
                loss, slope = _differentiate(logits.detach(), targets[rows], wanted=wanted)
                total += loss
                if slope is None:
                    continue
                found: Any = torch.autograd.grad(
                    logits, [chunk, *trained], slope, allow_unused=True
                )
                # As views of their products autograd could not add to them in place: a tied
                # embedding's own gradient would make a third matrix of that size.
                found = [one if one is None else one.detach() for one in found]
                towards_hidden[rows] = found[0]
                towards_trained = [
                    one if so_far is None or one is None else so_far.add_(one)
                    for so_far, one in zip(towards_trained, found[1:], strict=True)
                ]
                # The next chunk's would be made beside these.
                del logits, slope, found
        ctx.slopes = (towards_hidden, *towards_trained)
        return total

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] (torch's is written so too)
        ctx: Any,  # noqa: ANN401 (torch's)
        *grad_outputs: Tensor,
    ) -> tuple[Tensor | None, ...]:
        """Scale the gradients by that of the sum."""
        slopes, ctx.slopes = ctx.slopes, ()
        # In place: where the head is trained, a copy would be as large as the embeddings.
        hidden, *trained = [
            None if slope is None else slope.mul_(grad_outputs[0]) for slope in slopes
        ]
        return (hidden, None, None, None, *trained)


def _differentiate(
    logits: Tensor, targets: Tensor, *, wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """Compute the sum of cross entropies and, if wanted, its gradient towards the logits."""
    log_probabilities = torch.log_softmax(logits, dim=-1, dtype=torch.float32)
    places = targets[:, None]
    loss = -log_probabilities.gather(1, places).sum()
    if not wanted:
        return loss, None
    # The gradient of -log p_target is p, less 1 at the target.
    slope = log_probabilities.exp_()
    slope.scatter_add_(1, places, slope.new_full(places.shape, -1.0))
    return loss, slope.to(logits.dtype)
