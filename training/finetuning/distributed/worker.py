"""One process of a run: ``python -m training.finetuning.distributed.worker FOLDER``.

Started by accelerate's launcher as often as the recipe says. All of them do the same on other rows;
where something is written or told, only the first does it.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Any

from accelerate import PartialState
from accelerate.utils import DistributedType

from embedded.child import exit_with_parent
from schemas.errors import PacaloomError, UserError
from training.finetuning.distributed.order import (
    ORDER,
    Event,
    Failed,
    Finished,
    Interrupted,
    Order,
    Said,
    Started,
    Stepped,
    read_protected,
    tell,
)
from training.finetuning.distributed.ranks import is_first, wait_for_all
from training.finetuning.recipe import Recipe, read_hardware, resolve
from training.finetuning.sft import finetune
from training.finetuning.student import Student


def main(folder: Path) -> None:
    """Do what the order in the folder says, and tell there how it went."""
    exit_with_parent()
    order = Order.model_validate_json((folder / ORDER).read_bytes())
    _join(order.recipe)
    tell(folder, Started(rank=PartialState().process_index, pid=os.getpid()))
    event = _work(order, folder)
    if is_first() or isinstance(event, Failed):
        tell(folder, event)
    if isinstance(event, Failed):
        # Unwinding would wait for processes that wait for this one.
        os._exit(1)
    # The launcher ends all when one has ended, and the first may still be publishing.
    wait_for_all()
    os._exit(0)


def _join(recipe: Recipe) -> None:
    """Meet the other processes."""
    on_cpu = resolve(recipe, read_hardware()).device == "cpu"
    PartialState(cpu=on_cpu)
    if on_cpu and recipe.distribution == "fsdp":
        _take_cpus_for_gpus()


def _take_cpus_for_gpus() -> None:
    """Let accelerate spread weights over gloo.

    accelerate 1.15 has FSDP for every kind of device but CPUs, though torch can do it there too:
    a rehearsal of a run on GPUs needs none. Their kind decides nothing else here, because the
    processes have met already and ``launch.py`` names the device.
    """
    prepare = PartialState._prepare_backend  # pyright: ignore[reportPrivateUsage]

    def prepare_backend(
        self: PartialState,
        *args: Any,  # noqa: ANN401 (accelerate's)
        **kwargs: Any,  # noqa: ANN401 (accelerate's)
    ) -> tuple[str, Any]:
        backend, kind = prepare(self, *args, **kwargs)
        is_cpu = kind == DistributedType.MULTI_CPU
        return backend, DistributedType.MULTI_GPU if is_cpu else kind

    PartialState._prepare_backend = prepare_backend  # pyright: ignore[reportPrivateUsage]


def _work(order: Order, folder: Path) -> Event:
    def report(done: int, total: int, note: str = "") -> None:
        if is_first():
            tell(folder, Stepped(done=done, total=total, note=note))

    def say(message: str) -> None:
        if is_first():
            tell(folder, Said(message=message))

    try:
        version = finetune(
            order.dataset,
            Student(order.student, order.student_path),
            order.recipe,
            order.root,
            order.name,
            order.code_version,
            report,
            say,
            order.resume,
            order.report_to,
            read_protected(order),
        )
    except PacaloomError as error:
        return Failed(message=str(error), is_users=isinstance(error, UserError))
    except KeyboardInterrupt:
        return Interrupted()
    except Exception:  # noqa: BLE001 (a process that unwound would wait for the others for ever)
        traceback.print_exc()
        os._exit(1)
    return Finished(version=version)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
