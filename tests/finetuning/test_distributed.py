import signal
import threading
from pathlib import Path

import pytest
import yaml

from training.finetuning.contract.protection import protect
from training.finetuning.distributed.devices import (
    CONFIGURATIONS,
    check_devices,
    choose_configuration,
)
from training.finetuning.distributed.launch import describe_loss
from training.finetuning.distributed.order import (
    EVENTS,
    EventReader,
    Failed,
    Order,
    Started,
    Stepped,
    name_protected,
    read_protected,
    tell,
)
from training.finetuning.distributed.ranks import (
    any_of,
    is_first,
    largest,
    share,
    wait_for_all,
)
from training.finetuning.recipe import Device, Distribution, Recipe, RecipeError

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("distribution", "method", "device", "name"),
    [
        ("ddp", "lora", "cpu", "ddp-cpu"),
        ("ddp", "qlora", "cuda", "ddp"),
        ("fsdp", "full", "cuda", "fsdp"),
        ("fsdp", "qlora", "cuda", "fsdp-qlora"),
        ("fsdp", "lora", "cpu", "fsdp"),
    ],
)
def test_a_configuration_is_chosen_by_distribution_method_and_device(
    distribution: Distribution, method: str, device: Device, name: str
) -> None:
    recipe = Recipe.model_validate({"distribution": distribution, "method": method, "processes": 2})

    assert choose_configuration(recipe, device).name == f"{name}.yaml"


@pytest.mark.parametrize("path", sorted(CONFIGURATIONS.glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_reads_every_shipped_configuration(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))

    # What it does not know it refuses.
    assert (
        str(config.distributed_type.value) == yaml.safe_load(path.read_text())["distributed_type"]
    )


def test_more_processes_than_gpus_are_refused_in_one_line() -> None:
    with pytest.raises(RecipeError, match=r"processes 4 was given.*finds 1 here"):
        check_devices(Recipe(processes=4), "cuda", gpus=1)


def test_as_many_processes_as_gpus_or_any_number_on_the_cpu_are_fine() -> None:
    check_devices(Recipe(processes=4), "cuda", gpus=4)
    check_devices(Recipe(processes=2), "cpu", gpus=0)


def test_an_optimizer_in_8_bits_is_refused_where_weights_are_spread() -> None:
    recipe = Recipe(processes=2, distribution="fsdp", optimizer="adamw-8bit")

    with pytest.raises(RecipeError, match=r"adamw-8bit.*fsdp.*'adamw'"):
        check_devices(recipe, "cuda", gpus=2)


def test_events_are_read_in_order_and_once(tmp_path: Path) -> None:
    reader = EventReader(tmp_path)
    assert reader.read() == []
    told = [
        Started(rank=1, pid=7),
        Stepped(done=1, total=2, note="손실 1.2"),
        Failed(message="no\nroom", is_users=True),
    ]

    tell(tmp_path, told[0])
    first = reader.read()
    for event in told[1:]:
        tell(tmp_path, event)

    assert [*first, *reader.read()] == told
    assert reader.read() == []


def test_half_a_line_is_left_for_the_next_reading(tmp_path: Path) -> None:
    line = Stepped(done=1, total=2, note="").model_dump_json().encode() + b"\n"
    reader = EventReader(tmp_path)

    (tmp_path / EVENTS).write_bytes(line[:10])
    assert reader.read() == []
    (tmp_path / EVENTS).write_bytes(line)

    assert reader.read() == [Stepped(done=1, total=2, note="")]


def test_events_of_many_writers_do_not_mix(tmp_path: Path) -> None:
    def write(rank: int) -> None:
        for step in range(50):
            tell(tmp_path, Stepped(done=step, total=50, note=str(rank) * 200))

    writers = [threading.Thread(target=write, args=(rank,)) for rank in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(EventReader(tmp_path).read()) == 200


def test_what_is_protected_reaches_the_processes_whole(tmp_path: Path) -> None:
    protected = protect({"nsmc": ["아 더빙.. 진짜 짜증나네요 목소리"]}, lineage=["seed-1"])
    order = Order(
        dataset=tmp_path,
        student="s",
        student_path=tmp_path,
        recipe=Recipe(),
        root=tmp_path,
        name="n",
        code_version="test",
        protected=name_protected(protected),
        lineage=tuple(protected.lineage),
    )

    assert read_protected(Order.model_validate_json(order.model_dump_json())) == protected


def test_a_process_alone_meets_nobody() -> None:
    wait_for_all()

    assert is_first()
    assert share("실행") == "실행"
    assert largest(2.5) == 2.5
    assert not any_of(claim=False)


@pytest.mark.parametrize(
    ("messages", "line"),
    [
        pytest.param(
            "E1123 [...] failed (exitcode: -9) local_rank: 1 (pid: 7) of binary: python",
            "Process 1 of the run was ended by SIGKILL, perhaps because memory ran out",
            id="killed",
        ),
        pytest.param(
            "Traceback (most recent call last):\n  File ...\nValueError: 학습률\n"
            "RuntimeError: Connection closed by peer\n"
            "E1123 [...] failed (exitcode: 1) local_rank: 0 (pid: 7) of binary: python",
            "Process 0 of the run failed: ValueError: 학습률",
            id="failed-first",
        ),
        pytest.param(
            "RuntimeError: Connection closed by peer\n"
            "E1123 [...] failed (exitcode: 1) local_rank: 0 (pid: 7) of binary: python\n"
            "Failures:\n[1]:\n"
            "  rank      : 1 (local_rank: 1)\n  exitcode  : -9 (pid: 8)\n"
            "Root Cause (first observed failure):\n[0]:\n"
            "  rank      : 0 (local_rank: 0)\n  exitcode  : 1 (pid: 7)\n",
            "Process 1 of the run was ended by SIGKILL, perhaps because memory ran out",
            id="killed-and-seen-late",
        ),
        pytest.param(
            "ValueError: 학습률\n"
            "E1123 [...] failed (exitcode: 1) local_rank: 1 (pid: 8) of binary: python\n"
            "Failures:\n[0]:\n"
            "  rank      : 0 (local_rank: 0)\n  exitcode  : -15 (pid: 7)\n",
            "Process 1 of the run failed: ValueError: 학습률",
            id="failed-and-the-other-ended",
        ),
        pytest.param(
            "ValueError: 학습률\n"
            "E1123 [...] failed (exitcode: 1) local_rank: 1 (pid: 8) of binary: python\n"
            "Failures:\n[0]:\n"
            f"  rank      : 0 (local_rank: 0)\n  exitcode  : {-signal.SIGUSR2:d} (pid: 7)\n",
            "Process 1 of the run failed: ValueError: 학습률",
            id="failed-and-the-other-hung",
        ),
        pytest.param(
            "python: No module named accelerate\n\n",
            "The processes of the run have not come up: python: No module named accelerate",
            id="never-began",
        ),
    ],
)
def test_of_a_lost_process_one_line_is_told(messages: str, line: str) -> None:
    assert describe_loss(messages, 1, has_begun="come up" not in line) == line


def test_a_launcher_that_is_killed_has_nothing_to_report() -> None:
    line = describe_loss("", -9, has_begun=True)

    assert line == "The launcher of the run was ended by SIGKILL, perhaps because memory ran out"


def test_a_process_that_is_lost_without_a_report_is_not_taken_for_one_that_never_began() -> None:
    messages = "RuntimeError: Connection closed by peer\nW1123 Sending process 7 SIGTERM\n"

    line = describe_loss(messages, None, has_begun=True)

    assert line == "A process of the run was lost: RuntimeError: Connection closed by peer"
