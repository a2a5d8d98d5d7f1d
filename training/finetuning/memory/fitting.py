"""Refuse a run that cannot fit into memory, and propose one that does.

Each proposal is planned by the same arithmetic as the run itself, so what is proposed fits. In the
order in which they change least: smaller batches with more of them a step (the same rows a step),
the longest rows left out, another method, a GPU.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from schemas.errors import UserError
from schemas.manifest import MemoryEstimate, Method
from training.finetuning.memory.plan import RowLength, plan_memory
from training.finetuning.memory.shape import StudentShape
from training.finetuning.recipe import OF_METHODS, Device, Hardware, Recipe, Settings, resolve

_CGROUP_LIMITS = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Version 2, and version 1: limit and use, below /sys/fs/cgroup."""
_SHORTEST_SHARE = 0.9
"""Leaving out more than a tenth of the rows is another dataset, and not proposed."""


class MemoryTooSmallError(UserError):
    """A run needs more memory than there is."""


class Gpu(NamedTuple):
    """A size of GPU memory, and cards that have it."""

    gigabytes: int
    names: str

    @property
    def usable_mb(self) -> float:
        """What is left of it, in MB of 10^6 bytes, beside what the driver takes (5 %)."""
        return self.gigabytes * 2**30 / 1e6 * 0.95


class GpuFit(NamedTuple):
    """What of a run fits onto a GPU."""

    gpu: Gpu
    batches: dict[Method, int]
    """Most rows at once, up to the recipe's rows a step; methods that do not fit are absent."""


class Proposal(NamedTuple):
    """A change of the recipe with which the run fits."""

    text: str
    """Flags and what they change, as a clause of a sentence."""
    recipe: Recipe
    total_mb: float


def common_gpus() -> tuple[Gpu, ...]:
    """List sizes of GPU memory from small to large."""
    return (
        Gpu(8, "RTX 4060, RTX 3070"),
        Gpu(12, "RTX 3060, RTX 4070"),
        Gpu(16, "T4, RTX 4060 Ti, RTX 4080"),
        Gpu(24, "RTX 3090, RTX 4090, L4, A10"),
        Gpu(40, "A100 40 GB"),
        Gpu(48, "L40S, A6000, RTX 6000 Ada"),
        Gpu(80, "A100 80 GB, H100"),
    )


def read_available_mb(device: Device, cgroups: Path = Path("/sys/fs/cgroup")) -> float:
    """Read how much this process could hold in all, in MB of 10^6 bytes.

    On CPU what is available and what the process holds already, under the limit of its container;
    on CUDA what is free on the current device and what torch holds there.
    """
    if device == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info()
        return (free + torch.cuda.memory_reserved()) / 1e6
    import psutil

    held = psutil.Process().memory_info().rss
    available = psutil.virtual_memory().available
    limits = [_read_headroom(cgroups / limit, cgroups / used) for limit, used in _CGROUP_LIMITS]
    return (held + min([available, *(limit for limit in limits if limit is not None)])) / 1e6


def refuse_if_it_cannot_fit(
    estimate: MemoryEstimate,
    shape: StudentShape,
    recipe: Recipe,
    settings: Settings,
    lengths: Sequence[RowLength],
    available_mb: float,
) -> None:
    """Stop before anything is loaded that could not end.

    Raises:
        MemoryTooSmallError: Says what is needed and there, and what would fit.
    """
    if estimate.total_mb <= available_mb:
        return
    asked = f"batch_size {recipe.batch_size} and rows of up to {_longest(lengths)} tokens"
    found = propose(shape, recipe, settings, lengths, available_mb)
    advice = (
        f"This fits: {found.text} ({found.total_mb / 1000:.1f} GB)."
        if found
        else f"Nothing smaller fits either; {_name_gpu(shape, recipe, settings, lengths)}."
    )
    where = "GPU" if settings.device == "cuda" else "memory"
    raise MemoryTooSmallError(
        f"{recipe.method} with {asked} needs {estimate.total_mb / 1000:.1f} GB of {where}, and "
        f"{available_mb / 1000:.1f} GB are available. {advice}"
    )


def propose(
    shape: StudentShape,
    recipe: Recipe,
    settings: Settings,
    lengths: Sequence[RowLength],
    available_mb: float,
) -> Proposal | None:
    """Find the smallest change of the recipe with which the run fits; None where none does."""
    for method in _methods_to_try(recipe.method):
        changed = _with_method(recipe, method)
        decided = settings if method == recipe.method else _decide(changed, settings)
        prefix = "" if method == recipe.method else f"--method {method} "
        for proposal in (
            _smaller_batch(shape, changed, decided, lengths, available_mb),
            _shorter_rows(shape, changed, decided, lengths, available_mb),
        ):
            if proposal is not None:
                return proposal._replace(text=prefix + proposal.text)
    return None


def fit_gpus(shape: StudentShape, recipe: Recipe, lengths: Sequence[RowLength]) -> list[GpuFit]:
    """Find for each common GPU which methods fit, and with how many rows at once."""
    fits: list[GpuFit] = []
    for gpu in common_gpus():
        batches: dict[Method, int] = {}
        for method in get_args(Method):
            changed = _with_method(recipe, method).model_copy(update={"device": "cuda"})
            settings = resolve(changed, Hardware("cuda", computes_bf16=True, threads=1))
            for size in _smaller_sizes(recipe.batch_size * recipe.gradient_accumulation):
                one = changed.model_copy(update={"batch_size": size})
                if plan_memory(shape, one, settings, lengths).total_mb <= gpu.usable_mb:
                    batches[method] = size
                    break
        fits.append(GpuFit(gpu, batches))
    return fits


def _smaller_batch(
    shape: StudentShape,
    recipe: Recipe,
    settings: Settings,
    lengths: Sequence[RowLength],
    available_mb: float,
) -> Proposal | None:
    rows_a_step = recipe.batch_size * recipe.gradient_accumulation
    for size in _smaller_sizes(recipe.batch_size):
        smaller = recipe.model_copy(
            update={"batch_size": size, "gradient_accumulation": -(-rows_a_step // size)}
        )
        total = plan_memory(shape, smaller, settings, lengths).total_mb
        if total <= available_mb:
            times = smaller.gradient_accumulation
            text = (
                f"--batch-size {size} --gradient-accumulation {times}, {size * times} rows a step"
            )
            return Proposal(text, smaller, total)
    return None


def _shorter_rows(
    shape: StudentShape,
    recipe: Recipe,
    settings: Settings,
    lengths: Sequence[RowLength],
    available_mb: float,
) -> Proposal | None:
    rows_a_step = recipe.batch_size * recipe.gradient_accumulation
    single = recipe.model_copy(update={"batch_size": 1, "gradient_accumulation": rows_a_step})
    for limit in sorted({length.tokens for length in lengths}, reverse=True)[1:]:
        kept = [length for length in lengths if length.tokens <= limit]
        if len(kept) < _SHORTEST_SHARE * len(lengths) or limit < 16:
            return None
        update = {"max_length_tokens": limit, "on_overlong": "drop"}
        shorter = single.model_copy(update=update)
        total = plan_memory(shape, shorter, settings, kept).total_mb
        if total <= available_mb:
            text = (
                f"--batch-size 1 --gradient-accumulation {rows_a_step} --max-length-tokens {limit} "
                f"--on-overlong drop, without {len(lengths) - len(kept)} of {len(lengths)} rows"
            )
            return Proposal(text, shorter, total)
    return None


def _smaller_sizes(size: int) -> list[int]:
    """Halve a batch again and again, the largest first."""
    sizes = [size]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    return sizes


def _methods_to_try(method: Method) -> tuple[Method, ...]:
    """Name a method and those that need less, the nearest to it first."""
    lighter: dict[Method, tuple[Method, ...]] = {
        "full": ("full", "lora", "qlora"),
        "dora": ("dora", "lora", "qlora"),
        "lora": ("lora", "qlora"),
        "qlora": ("qlora",),
        "prompt_tuning": ("prompt_tuning", "qlora"),
    }
    return lighter[method]


def _with_method(recipe: Recipe, method: Method) -> Recipe:
    """Change the method; settings that only the old one had go back to the new one's defaults."""
    if method == recipe.method:
        return recipe
    cleared: dict[str, object] = {name: None for name in OF_METHODS}  # noqa: C420 (typed)
    packing = recipe.packing and method != "prompt_tuning"
    return recipe.model_copy(update={**cleared, "method": method, "packing": packing})


def _decide(recipe: Recipe, settings: Settings) -> Settings:
    """Decide the settings of another method on the same machine."""
    precise = recipe.model_copy(update={"precision": settings.precision})
    hardware = Hardware(settings.device, settings.precision == "bf16", settings.threads)
    return resolve(precise, hardware)


def _name_gpu(
    shape: StudentShape, recipe: Recipe, settings: Settings, lengths: Sequence[RowLength]
) -> str:
    for fit in fit_gpus(shape, recipe, lengths):
        if recipe.method in fit.batches:
            size = fit.batches[recipe.method]
            return (
                f"it would on a GPU of {fit.gpu.gigabytes} GB ({fit.gpu.names}) with --batch-size "
                f"{size}"
            )
    return f"no single GPU holds {recipe.method} of this student: choose a smaller one"


def _longest(lengths: Sequence[RowLength]) -> int:
    return max(length.tokens for length in lengths)


def _read_headroom(limit: Path, used: Path) -> int | None:
    """Read what a container may still take; None without a limit."""
    try:
        most, taken = limit.read_text("ascii").strip(), used.read_text("ascii").strip()
    except OSError:
        return None
    return int(most) - int(taken) if most.isdigit() and taken.isdigit() else None
