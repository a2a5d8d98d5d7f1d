"""Everything that can be known to be wrong before a process is started."""

from collections.abc import Iterator
from importlib.metadata import version

import psutil

from flows.configuration import find_unknown_variables, mask_address, read_environment_file
from flows.deployed.run_processes import find_processes
from flows.observing.notifications import NotifyError, make_notifier
from flows.services.database import check_database, is_written_now
from flows.services.deployment_file import check_deployments
from flows.services.fault import Fault
from flows.services.machine import check_disk, check_memory, check_versions
from flows.services.notes import find_running, note_path, read_note
from flows.services.ports import check_port, read_outputs
from flows.services.server_state import ask_server, complain_about_server
from flows.settings import ENVIRONMENT_FILE, ROOT, Settings, read_environment
from schemas.errors import UserError
from training.finetuning.memory.fitting import read_available_mb

WORK_POOL = "local"


class NotReadyError(UserError):
    """Something stands in the way of a start."""

    def __init__(self, faults: list[Fault]) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{faults[0].text}{more}")
        self.faults = faults


def find_faults(settings: Settings, port: int) -> list[Fault]:
    """Look at everything, whatever is found on the way; nothing is started or stopped."""
    environment = read_environment()
    faults = [*_check_notes(settings), *_check_workers(settings, port)]
    server = find_running(settings, "server")
    if server is None:
        faults += check_port(port)
        faults += check_memory(read_available_mb("cpu"))
        faults += check_database(settings, environment)
    elif server.port != port:
        faults.append(
            Fault(
                f"A server of these outputs runs on port {server.port} already, wanted {port}. "
                f"Use it (`make up PORT={server.port}`), or stop it first with `make down`."
            )
        )
    else:
        faults += _check_running_server(port)
    faults += check_disk(settings)
    faults += check_versions(ROOT / "pyproject.toml")
    faults += check_deployments(ROOT / "prefect.yaml", WORK_POOL)
    faults += _check_environment(settings, environment, port)
    faults += _check_notifications(settings)
    return sorted(faults, key=lambda fault: fault.is_warning)


def _check_notes(settings: Settings) -> Iterator[Fault]:
    for name in ("server", "worker"):
        note = read_note(settings, name)
        if note is not None and note.is_foreign and is_written_now(settings):
            yield Fault(
                f"{settings.outputs}: its {name} runs on another machine, {note.host} (pid "
                f"{note.pid}), and two on one outputs folder would do every run twice. Stop it "
                f"there with `make down`, choose another folder (PACALOOM_OUTPUTS), or, if that "
                f"machine is gone, delete {note_path(settings, name)}."
            )


def _check_workers(settings: Settings, port: int) -> Iterator[Fault]:
    """Find workers on the same outputs that `up` does not know of."""
    ours = find_running(settings, "worker")
    for pid, api_url in find_processes().workers.items():
        try:
            outputs = read_outputs(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
        if (ours is not None and pid == ours.pid) or outputs != str(settings.outputs):
            continue
        if _normalise(api_url) == f"http://127.0.0.1:{port}/api":
            text = f"Another worker, pid {pid}, serves the same server: runs start in either."
            yield Fault(text, is_warning=True)
        else:
            yield Fault(
                f"{settings.outputs}: a worker of another server, {mask_address(api_url)} (pid "
                f"{pid}), writes here, and two on one outputs folder would do every run twice. "
                f"End it (`kill {pid}`), or choose another folder (PACALOOM_OUTPUTS)."
            )


def _check_running_server(port: int) -> Iterator[Fault]:
    found, wanted = ask_server(f"http://127.0.0.1:{port}/api").version, version("prefect")
    # One that still starts tells nothing.
    if found is not None and found != wanted:
        yield Fault(
            f"The server that runs here is Prefect {found}, installed is {wanted}: `make down`, "
            "then `make up`; its runs and schedules stay."
        )


def _check_environment(
    settings: Settings, environment: dict[str, str], port: int
) -> Iterator[Fault]:
    file = read_environment_file(ENVIRONMENT_FILE)
    unknown = find_unknown_variables(environment, file, ENVIRONMENT_FILE)
    for text in (*file.faults, *unknown):
        yield Fault(text, is_warning=True)
    named = settings.prefect_api_url
    if named is None or _normalise(named) == f"http://127.0.0.1:{port}/api":
        return
    complaint = complain_about_server(ask_server(named))
    if complaint:
        yield Fault(complaint, is_warning=True)
    else:
        yield Fault(
            f"PREFECT_API_URL={mask_address(named)} is another server than the one started here on "
            f"port {port}: commands in this shell go there.",
            is_warning=True,
        )


def _check_notifications(settings: Settings) -> Iterator[Fault]:
    try:
        make_notifier(settings).check()
    except NotifyError as error:
        yield Fault(str(error), is_warning=True)


def _normalise(api_url: str) -> str:
    return api_url.rstrip("/").replace("//localhost:", "//127.0.0.1:")
