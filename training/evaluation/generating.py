"""Write the likeliest answer to many prompts that begin alike, token by token.

Greedy, so the same model gives the same answer to the same prompt: what transformers' own
``generate(do_sample=False)`` gives for each prompt alone, up to float rounding of tied tokens.

Keys and values of the tokens that all prompts share exist once (:mod:`.shared_prefix`); rows of
similar length are written side by side, padded on the left, and a row that has ended leaves its
batch at once, so a model that stops pays for its own tokens only. What ends an answer: a stop token
of the model or the template, or a text that the template calls an end
(:func:`training.evaluation.prompts.answer_ends`).

Cost: a forward pass a token for each batch, whose weights are read once for all of its rows.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from schemas.progress import Progress, no_progress
from schemas.rendering import Rendered
from schemas.templates import INSTRUCTION, Template
from training.evaluation.answer_trees import count_shared, group_by_length
from training.evaluation.answerers import Written
from training.evaluation.askable import broken_model, check_lengths
from training.evaluation.output_matrix import OutputMatrix, find_output
from training.evaluation.prompts import answer_ends, strip_answer
from training.evaluation.shared_prefix import (
    SharedPrefix,
    Sight,
    attending_by_sight,
    compute_prefix,
    run_layers,
)
from training.tokens import control_tokens, split_rows, start_tokens

BATCH_TOKENS = 4096
"""Padded tokens of prompts and answers to come in a batch. More needs more memory."""
_TAIL_TOKENS = 32
"""Newest tokens among which an end is looked for; none has more than 25 bytes."""


def write_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    limit_tokens: int,
    batch_tokens: int = BATCH_TOKENS,
    progress: Progress = no_progress,
    template: Template = INSTRUCTION,
) -> list[Written]:
    """Write an answer to each prompt, of at most ``limit_tokens`` tokens.

    Args:
        model: In eval mode, on its device, with sdpa attention.
        tokenizer: The model's own.
        prompts: In any order; the longer their common beginning, the cheaper.
        limit_tokens: An answer that has not ended by then is cut off.
        batch_tokens: Padded tokens in a batch, answers included.
        progress: Told how many answers are done.
        template: What rendered the prompts.

    Raises:
        PromptTooLongError: A prompt with its answer could exceed the model's positions.
        UnsupportedModelError: A model with layers that are not attention, or not sdpa's.
        BrokenModelError: The model gives no numbers.
    """
    if not prompts:
        return []
    start = start_tokens(tokenizer, template)
    splits = split_rows([Rendered(prompt, "") for prompt in prompts], template, tokenizer)
    contexts = [[*start, *split.prompt] for split in splits]
    check_lengths(model, [len(context) + limit_tokens for context in contexts])
    shared = count_shared(contexts)
    endings = _find_endings(model, tokenizer, template)
    written: list[Written | None] = [None] * len(prompts)
    done = 0
    with torch.inference_mode():
        prefix = compute_prefix(model, contexts[0][:shared])
        output = find_output(model)
        lengths = [len(context) - shared + limit_tokens for context in contexts]
        with attending_by_sight(model):
            for group in group_by_length(lengths, batch_tokens):
                batch = _Writing(model, output, prefix, [contexts[i][shared:] for i in group])
                for index, ids in zip(group, batch.write(limit_tokens, endings), strict=True):
                    written[index] = endings.read(ids)
                done += len(group)
                progress(done, len(prompts))
    return [one for one in written if one is not None]


class _Endings(NamedTuple):
    """What ends an answer."""

    tokenizer: PreTrainedTokenizerBase
    template: Template
    stops: frozenset[int]
    """Tokens."""
    texts: tuple[str, ...]

    def is_ended(self, ids: list[int]) -> bool:
        """Tell whether the newest token ends an answer."""
        if ids[-1] in self.stops:
            return True
        tail = self._decode(ids[-_TAIL_TOKENS:]) if self.texts else ""
        return any(text in tail for text in self.texts)

    def read(self, ids: list[int]) -> Written:
        """Turn the tokens of an answer into its text."""
        ended = ids[-1] in self.stops
        text = self._decode(ids)
        if self.template.stop in self.texts:
            ended = ended or self.template.stop in text
        # A cut may go through a character of several tokens.
        return Written(strip_answer(text if ended else text.rstrip("\ufffd"), self.template), ended)

    def _decode(self, ids: list[int]) -> str:
        text: Any = self.tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(text)


def _find_endings(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, template: Template
) -> _Endings:
    own: Any = [model.generation_config.eos_token_id] if model.generation_config else []
    stops: list[Any] = [tokenizer.eos_token_id, control_tokens(tokenizer).get(template.stop)]
    for found in own:
        stops += found if isinstance(found, list) else [found]
    tokens = frozenset(token for token in stops if isinstance(token, int))
    return _Endings(tokenizer, template, tokens, answer_ends(template))


class _Writing:
    """A batch of prompts whose answers are being written."""

    def __init__(
        self,
        model: PreTrainedModel,
        output: OutputMatrix,
        prefix: SharedPrefix,
        contexts: list[list[int]],
    ) -> None:
        self._model = model
        self._output = output
        self._prefix = prefix
        self._contexts = contexts
        self._cache = DynamicCache()
        width = max(map(len, contexts))
        pads = torch.tensor([width - len(context) for context in contexts])
        self._ids = torch.tensor([[0] * (width - len(c)) + c for c in contexts])
        # Padding gets positions before the first own token, where no query sees it.
        self._keys = prefix.length + torch.arange(width) - pads[:, None]
        self._is_own = torch.arange(width) >= pads[:, None]

    def write(self, limit_tokens: int, endings: _Endings) -> list[list[int]]:
        """Return the tokens of each answer, with the one that ended it."""
        answers: list[list[int]] = [[] for _ in self._contexts]
        going = list(range(len(answers)))
        queries = self._ids
        for _ in range(limit_tokens):
            newest = self._step(queries).tolist()
            for row, token in zip(going, newest, strict=True):
                answers[row].append(token)
            stay = [at for at, row in enumerate(going) if not endings.is_ended(answers[row])]
            if not stay:
                break
            if len(stay) < len(going):
                self._keep(torch.tensor(stay))
                going = [going[at] for at in stay]
            queries = torch.tensor([[answers[row][-1]] for row in going])
            self._keys = torch.cat([self._keys, self._keys[:, -1:] + 1], dim=1)
            self._is_own = torch.cat([self._is_own, torch.ones_like(self._is_own[:, :1])], dim=1)
        return answers

    def _step(self, queries: Tensor) -> Tensor:
        """Feed tokens that are not in the cache yet, and return the likeliest next ones."""
        device = self._model.device
        length, positions = queries.shape[1], self._keys[:, -queries.shape[1] :]
        size = self._keys.shape[1]
        causal = torch.ones(length, size, dtype=torch.bool).tril(size - length)
        # Padding sees itself: a query that sees nothing would turn into NaN in some kernels.
        itself = torch.eye(size, dtype=torch.bool)[-length:]
        visible = (causal & self._is_own[:, None, :]) | itself
        positions = positions.clamp(min=0).to(device)
        sight = Sight(self._prefix, positions, self._keys.to(device), visible.to(device))
        hidden = run_layers(self._model, queries.to(device), positions, sight, self._cache)
        states = hidden[:, -1]
        newest = self._output.likeliest(states)
        if not self._are_numbers(states, newest):
            raise broken_model()
        return newest

    def _are_numbers(self, states: Tensor, newest: Tensor) -> bool:
        if self._keys.shape[1] > self._ids.shape[1]:
            return bool(states.isfinite().all())
        # The likeliest of logits that are no numbers is still a token, so the output matrix is
        # looked at too; once, since it stays the same and costs as much as a step of the layers.
        places = torch.arange(len(newest), device=newest.device)
        return bool(self._output.log_probs(states, places, newest).isfinite().all())

    def _keep(self, rows: Tensor) -> None:
        """Let go of the rows that have ended."""
        self._cache.batch_select_indices(rows.to(self._model.device))
        self._keys, self._is_own = self._keys[rows], self._is_own[rows]
