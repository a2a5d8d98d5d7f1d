"""What can be wrong with a row before the first step, and what to do about it.

Each kind is a fault that has ruined runs elsewhere without an error; the threads that tell of them
are named beside the test of each kind.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from schemas.errors import UserError

FaultKind = Literal[
    "outside-vocabulary",
    "no-labels",
    "untrained-stop",
    "cut-answer",
    "trained-prompt",
    "untrained-answer",
    "double-start",
    "missing-start",
    "control-in-text",
    "changed-text",
    "prompt-differs",
    "merged-border",
    "evaluation-item",
    "in-both-splits",
    "shared-lineage",
    "overlong",
    # Seen only in the trainer's batches:
    "trained-padding",
    "visible-padding",
    "visible-neighbour",
    "positions-run-on",
    "lost-row",
]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
"""The worst first: a run with the first cannot start, one with the last is only slower."""


class _Explanation(NamedTuple):
    title: str
    remedy: str


_REMOVE = "curate and publish the dataset again without these rows"

EXPLANATIONS: dict[FaultKind, _Explanation] = {
    "outside-vocabulary": _Explanation(
        "Token that the student has no embedding for",
        "Tokenizer and weights are not of one checkpoint: take both from the same one.",
    ),
    "no-labels": _Explanation(
        "Nothing to train",
        f"Give the rows an answer, or {_REMOVE}.",
    ),
    "untrained-stop": _Explanation(
        "Stop token missing or not trained",
        "The student would not learn to end an answer: every row has to end in the template's stop "
        "token with a label, whatever the padding token is. Choose the template of this student, "
        "or set its eos_token.",
    ),
    "cut-answer": _Explanation(
        "Answer cut off",
        "The student would learn to stop in mid-sentence: raise max_length_tokens, or set "
        "on_overlong to 'drop'.",
    ),
    "trained-prompt": _Explanation(
        "Prompt trained too",
        "The student would learn to ask instead of to answer: labels may begin only after the "
        "prompt.",
    ),
    "untrained-answer": _Explanation(
        "Part of the answer not trained",
        "Labels have to cover all of the answer.",
    ),
    "double-start": _Explanation(
        "Two start tokens",
        "Inference has one: remove it from the chat template, or from what the tokenizer adds.",
    ),
    "missing-start": _Explanation(
        "No start token",
        "The tokenizer writes one at inference: training has to do the same.",
    ),
    "control-in-text": _Explanation(
        "Control token inside a record's text",
        "Text that spells a control token has to stay text. The tokenizer does not tell them "
        f"apart: mark the token as special in tokenizer_config.json, or {_REMOVE}.",
    ),
    "changed-text": _Explanation(
        "Text changed by the tokenizer",
        "The student would learn another text than the dataset's: choose a student whose tokenizer "
        f"knows these characters, or {_REMOVE}.",
    ),
    "prompt-differs": _Explanation(
        "Prompt tokenized otherwise than at inference",
        "The student would be asked with tokens that it never saw: use the same template for "
        "training and inference, and a tokenizer that has its control tokens.",
    ),
    "merged-border": _Explanation(
        "White space at the end of the prompt that merges with the answer",
        "At inference the prompt stands alone and its last token is another one: let the template "
        "move the white space to the start of the answer.",
    ),
    "evaluation-item": _Explanation(
        "Evaluation item in the training data",
        f"Its score would measure memory: {_REMOVE} (--protect), or evaluate on another task.",
    ),
    "in-both-splits": _Explanation(
        "Prompt in both training and validation data",
        f"The held-out loss would measure memory: {_REMOVE}.",
    ),
    "shared-lineage": _Explanation(
        "Seed task or source with descendants in both training and validation data",
        "The version promises that there are none: publish the dataset again, which splits by "
        "lineage.",
    ),
    "overlong": _Explanation(
        "Row longer than the limit",
        "Raise max_length_tokens if the student can read more, or set on_overlong to 'drop' to "
        "leave such rows out.",
    ),
    "trained-padding": _Explanation(
        "Label on padding", "The collator has to give padding no label (-100)."
    ),
    "visible-padding": _Explanation(
        "Padding that the student sees",
        "The collator has to mask padding by its position, in the attention mask.",
    ),
    "visible-neighbour": _Explanation(
        "Packed row that sees its neighbour",
        "A packed batch needs position ids that restart and no attention mask of ones: switch "
        "packing off.",
    ),
    "positions-run-on": _Explanation(
        "Position ids that do not restart at a packed row",
        "Each row has to count from 0: switch packing off.",
    ),
    "lost-row": _Explanation(
        "Row that the trainer does not see as it was checked",
        "The collator has to hand on every row unchanged.",
    ),
}


class Finding(NamedTuple):
    """What is wrong, whichever row it is."""

    kind: FaultKind
    detail: str
    """What was found, in words that follow a colon."""


class Fault(NamedTuple):
    """One thing that is wrong with one row."""

    kind: FaultKind
    row_id: str
    split: str
    """``train`` or ``validation``; of a batch, ``batch``."""
    detail: str
    """What was found, in words that follow a colon."""


class TokenRow(NamedTuple):
    """A token of a faulty row, for a table in the terminal."""

    id: int
    text: str
    """Empty where the token only goes on with the character of the one before it."""
    trained: bool


class ContractError(UserError):
    """Rows that cannot be trained on as they should be."""

    def __init__(
        self,
        message: str,
        counts: dict[FaultKind, int] | None = None,
        rows: Sequence[TokenRow] = (),
    ) -> None:
        """Take what the terminal may show besides the one line.

        Args:
            message: The line.
            counts: Rows by kind of fault; one with several counts as the worst of them.
            rows: The tokens of the row that the line names.
        """
        super().__init__(message)
        self.counts = counts or {}
        self.rows = tuple(rows)


def count_kinds(faults: Sequence[Fault]) -> dict[FaultKind, int]:
    """Count rows by kind, the worst kind first."""
    counts = Counter(fault.kind for fault in faults)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def find_worst(faults: Sequence[Fault]) -> Fault:
    """Return the first row with the worst kind."""
    return min(faults, key=lambda fault: KINDS.index(fault.kind))


def describe(faults: Sequence[Fault], total: int) -> str:
    """Write the one line: the worst kind, its first row, how many there are, and the remedy."""
    counts = count_kinds(faults)
    worst = find_worst(faults)
    explanation = EXPLANATIONS[worst.kind]
    others = [f"{EXPLANATIONS[kind].title.lower()} {count}" for kind, count in counts.items()][1:]
    return (
        f"{explanation.title}: {counts[worst.kind]} of {total} rows, the first is "
        f"{name_row(worst.row_id)} ({worst.split}): {worst.detail}. {explanation.remedy}"
        + (f" Other faults: {', '.join(others)}." if others else "")
    )


def name_row(row_id: str) -> str:
    """Write a row's id so that it stays within the line, whatever the dataset calls it."""
    return row_id if row_id.isprintable() and 0 < len(row_id) <= 64 else repr(row_id[:64])
