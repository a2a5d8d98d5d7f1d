"""What a process asks of the others that train with it; alone, each answer is its own.

Every function but :func:`is_first` is a meeting: all processes have to call it, in the same order,
or the others wait for ever. torch's name for a process of a run is its rank. Cost: one message of
a few bytes to each of the others, well under a millisecond on one machine.
"""

from collections.abc import Generator
from contextlib import contextmanager


def is_first() -> bool:
    """Whether this process is the one that writes run state, progress and version."""
    return _rank() == 0


def wait_for_all() -> None:
    """Go on when every process has come here."""
    if _count() > 1:
        import torch.distributed

        torch.distributed.barrier()


def any_of(claim: bool) -> bool:
    """Whether the claim is true in at least one process; all get the same answer."""
    return largest(float(claim)) > 0


def largest(value: float) -> float:
    """Return the largest of all processes' values."""
    if _count() == 1:
        return value
    import torch.distributed

    cell = _cell(value)
    torch.distributed.all_reduce(cell, torch.distributed.ReduceOp.MAX)
    return cell.item()


@contextmanager
def first_goes_ahead() -> Generator[None]:
    """Let the first process through the block alone, and the others after it.

    What it makes or removes on disk there, the others find made or removed.
    """
    if not is_first():
        wait_for_all()
    yield
    if is_first():
        wait_for_all()


def _cell(value: float):  # noqa: ANN202  # torch is imported late
    import torch
    from accelerate import PartialState

    # NCCL moves nothing that is not on a GPU.
    return torch.tensor(value, dtype=torch.float64, device=PartialState().device)


def _rank() -> int:
    import torch.distributed

    return torch.distributed.get_rank() if _count() > 1 else 0


def _count() -> int:
    import torch.distributed

    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return 1
    return torch.distributed.get_world_size()
