"""What a process asks of the others that train with it; alone, each answer is its own.

Every function but :func:`is_first` is a meeting: all processes have to call it, in the same order,
or the others wait for ever. torch's name for a process of a run is its rank. Cost: one message of
a few bytes to each of the others, well under a millisecond on one machine.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import torch


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
    import torch
    import torch.distributed

    cell = torch.tensor(value, dtype=torch.float64, device=_device())
    torch.distributed.all_reduce(cell, torch.distributed.ReduceOp.MAX)
    return cell.item()


def share(text: str) -> str:
    """Return the first process's text to all; that of the others is not looked at."""
    if _count() == 1:
        return text
    import torch
    import torch.distributed

    content = text.encode() if is_first() else b""
    length = int(largest(len(content)))
    letters = torch.zeros(length, dtype=torch.uint8, device=_device())
    if is_first():
        letters.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    torch.distributed.broadcast(letters, src=0)
    return bytes(letters.tolist()).decode()


def gather(numbers: Sequence[int]) -> list[int]:
    """Return the numbers of all processes, those of the first one first."""
    if _count() == 1:
        return list(numbers)
    import torch
    import torch.distributed

    longest = int(largest(len(numbers)))
    own = torch.zeros(longest + 1, dtype=torch.int64)
    own[: len(numbers) + 1] = torch.tensor([len(numbers), *numbers])
    own = own.to(_device())
    everyone = [torch.empty_like(own) for _ in range(_count())]
    torch.distributed.all_gather(everyone, own)
    return [
        number for count, *rest in (each.tolist() for each in everyone) for number in rest[:count]
    ]


def _device() -> "torch.device":
    from accelerate import PartialState

    # NCCL moves nothing that is not on a GPU.
    return cast("torch.device", PartialState().device)


def _rank() -> int:
    import torch.distributed

    return torch.distributed.get_rank() if _count() > 1 else 0


def _count() -> int:
    import torch.distributed

    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return 1
    return torch.distributed.get_world_size()
