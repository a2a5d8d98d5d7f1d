"""Prove that the trainer's batches hold the checked rows, all of them, and nothing else to learn.

Every row is found again in the tensors, by the attention mask where rows are padded and by position
ids where they are packed, and compared token by token and label by label with the row that was
checked. That proves at once that stop tokens are trained even where they double as padding, that
padding is neither trained nor seen, and that packed rows count from 0 and see only themselves.
Cost: linear, about 60 µs a row besides the collator's own.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from training.finetuning.contract.encoding import IGNORED, Example
from training.finetuning.contract.faults import ContractError, Fault, Finding, TokenRow, describe

if TYPE_CHECKING:
    from torch import Tensor

Collate = Callable[[list[Any]], Mapping[str, "Tensor"]]
"""The Trainer's collator: whatever its dataset holds, to tensors (batch, seq)."""


class _Piece(NamedTuple):
    """What the student sees as one row."""

    tokens: tuple[int, ...]
    labels: tuple[int, ...]
    visible: bool = True
    """Not masked."""


def check_batches(
    collate: Collate, features: Sequence[Any], examples: Sequence[Example], batch_size: int = 8
) -> None:
    """Make all batches of a dataset once and find every example in them.

    Args:
        collate: The trainer's own.
        features: The trainer's whole dataset: a row each, or several packed.
        examples: The rows that were checked, in any order.
        batch_size: Features a batch.

    Raises:
        ContractError: A row is lost or changed, its stop token masked, padding trained or seen, or
            a packed row not kept apart from its neighbour.
    """
    missing = Counter(_as_piece(example) for example in examples)
    for start in range(0, len(features), batch_size):
        for line in _read_lines(collate(list(features[start : start + batch_size]))):
            for piece in _find_pieces(line):
                if piece.visible and missing[piece] > 0:
                    missing[piece] -= 1
                elif explained := _explain(piece, line, examples):
                    raise _refuse(explained, examples)
    if count := sum(missing.values()):
        lost = next(example for example in examples if missing[_as_piece(example)])
        finding = Finding("lost-row", "it is in no batch")
        raise _refuse(_Explained(finding, lost), examples, count)


class _Line(NamedTuple):
    """One line of a batch."""

    tokens: list[int]
    labels: list[int]
    mask: list[int] | None
    positions: list[int] | None


class _Explained(NamedTuple):
    finding: Finding
    example: Example
    """The row that it happened to."""


def _as_piece(example: Example) -> _Piece:
    return _Piece(tuple(example.input_ids), tuple(example.labels))


def _read_lines(batch: Mapping[str, "Tensor"]) -> Iterator[_Line]:
    masks, positions = batch.get("attention_mask"), batch.get("position_ids")
    for place, (tokens, labels) in enumerate(
        zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True)
    ):
        yield _Line(
            tokens,
            labels,
            None if masks is None else masks[place].tolist(),
            None if positions is None else positions[place].tolist(),
        )


def _find_pieces(line: _Line) -> Iterator[_Piece]:
    """Cut a line where the student does: at masked positions, or where positions restart."""
    borders = [0, *(place for place in range(1, len(line.tokens)) if _is_border(line, place))]
    for begin, end in zip(borders, [*borders[1:], len(line.tokens)], strict=True):
        visible = line.mask is None or bool(line.mask[begin])
        yield _Piece(tuple(line.tokens[begin:end]), tuple(line.labels[begin:end]), visible)


def _is_border(line: _Line, place: int) -> bool:
    if line.mask is not None:
        # A mask hides from transformers where positions restart: rows are one sequence then.
        return line.mask[place] != line.mask[place - 1]
    return line.positions is not None and line.positions[place] != line.positions[place - 1] + 1


def _explain(piece: _Piece, line: _Line, examples: Sequence[Example]) -> _Explained | None:
    """Say what happened to a piece that is no row, or nothing when it is mere padding."""
    if not piece.visible or len(set(piece.tokens)) == 1:
        return _explain_padding(piece, line, examples)
    for example in examples:
        length = len(example.input_ids)
        if piece.tokens[:length] != tuple(example.input_ids):
            continue
        if len(piece.tokens) == length:
            return _Explained(_compare_labels(example, piece), example)
        return _Explained(_explain_rest(piece, line, length), example)
    cut = next((one for one in examples if _is_start(piece, one)), examples[0])
    return _Explained(Finding("lost-row", "a batch holds other tokens in its place"), cut)


def _explain_padding(piece: _Piece, line: _Line, examples: Sequence[Example]) -> _Explained | None:
    labels = [label for label in piece.labels if label != IGNORED]
    if not labels:
        return None
    tokens = tuple(line.tokens)
    beside = (one for one in examples if tokens[: len(one.input_ids)] == tuple(one.input_ids))
    finding = Finding("trained-padding", f"{len(labels)} tokens of padding beside it have a label")
    return _Explained(finding, next(beside, examples[0]))


def _is_start(piece: _Piece, example: Example) -> bool:
    return tuple(example.input_ids[: len(piece.tokens)]) == piece.tokens


def _compare_labels(example: Example, piece: _Piece) -> Finding:
    place = next(
        place
        for place, (wanted, found) in enumerate(zip(example.labels, piece.labels, strict=True))
        if wanted != found
    )
    wanted, found = example.labels[place], piece.labels[place]
    if found == IGNORED and wanted == example.input_ids[-1]:
        detail = f"the collator took the label off its stop token {wanted}, as if it were padding"
        return Finding("untrained-stop", detail)
    if wanted == IGNORED:
        return Finding("trained-prompt", f"the collator gave token {place} the label {found}")
    return Finding("untrained-answer", f"the collator made label {wanted} of token {place} {found}")


def _explain_rest(piece: _Piece, line: _Line, length: int) -> Finding:
    """Say what follows a row within what the student sees as one."""
    rest = set(piece.tokens[length:])
    if len(rest) == 1:
        if set(piece.labels[length:]) != {IGNORED}:
            detail = f"{len(piece.tokens) - length} tokens of padding after it have a label"
            return Finding("trained-padding", detail)
        detail = f"{len(piece.tokens) - length} tokens of padding after it are not masked"
        return Finding("visible-padding", detail)
    if line.positions is not None and line.positions[length] == 0:
        return Finding("visible-neighbour", "an attention mask joins it with the row after it")
    return Finding("positions-run-on", f"the row after it begins at position {length}, not at 0")


def _refuse(explained: _Explained, examples: Sequence[Example], count: int = 1) -> ContractError:
    finding, example = explained
    fault = Fault(finding.kind, example.id, "batch", finding.detail)
    rows = [
        TokenRow(token, "", label != IGNORED)
        for token, label in zip(example.input_ids, example.labels, strict=True)
    ]
    return ContractError(describe([fault] * count, len(examples)), {finding.kind: count}, rows)
