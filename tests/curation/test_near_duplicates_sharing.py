import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.curation.near_duplicates.address import StorageAddressError
from pipeline.curation.near_duplicates.near_duplicates import (
    NearDuplicatesConfig,
    drop_near_duplicates,
)
from schemas.errors import UserError
from schemas.records import InstructionRecord
from tests.curation.making import PROVENANCE, make_record

ROOT = Path(__file__).parents[2]
PASSWORD = "sesame"  # noqa: S105 - of a server that lives as long as these tests
EN = "Water boils at 100 degrees Celsius at sea level, and on a mountain at fewer degrees"
KO = "물은 해수면에서 섭씨 100도에 끓고, 산에서는 그보다 낮은 온도에서 끓는다고 알려져 있다"


class Server:
    """A Redis of these tests' own; each test has a database of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._databases = 0

    def make_config(self, threshold: float = 0.7) -> NearDuplicatesConfig:
        self._databases += 1
        url = f"redis://127.0.0.1:{self.port}/{self._databases}"
        return NearDuplicatesConfig(threshold=threshold, storage=url)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("needs redis-server (apt-get install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    folder = tmp_path_factory.mktemp("redis")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([binary, *options, "--dir", str(folder)], stdout=log)
        try:
            wait_for(port, process)
            yield Server(port)
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise ChildProcessError(f"Redis ended before it listened on port {port}")


def make_pair(ending: str, completion_id: str) -> list[InstructionRecord]:
    provenance = PROVENANCE.model_copy(update={"completion_id": completion_id})
    records = [
        make_record("When?", "en", output=EN + ending),
        make_record("언제?", "ko", output=KO + ending),
    ]
    return [record.model_copy(update={"provenance": provenance}) for record in records]


def drop(records: list[InstructionRecord], config: NearDuplicatesConfig) -> list[str | None]:
    result = drop_near_duplicates(records, config, password=SecretStr(PASSWORD))
    return [dropped.collides_with for dropped in result.dropped]


def test_copies_of_what_another_run_kept_are_dropped_and_name_it(server: Server) -> None:
    config = server.make_config()
    first, second = make_pair(",", "a"), make_pair(".", "b")

    assert drop(first, config) == []
    assert drop(second, config) == [record.id for record in first]


def test_another_process_sees_what_this_one_kept(server: Server) -> None:
    config = server.make_config()
    first = make_pair(",", "a")
    drop(first, config)
    program = (
        "from tests.curation.test_near_duplicates_sharing import *\n"
        f"config = NearDuplicatesConfig(storage={config.storage!r})\n"
        "print(*drop(make_pair('.', 'b'), config))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.split() == [record.id for record in first]


def test_processes_that_run_at_once_keep_one_of_each_cluster(server: Server) -> None:
    config = server.make_config()
    program = (
        "import sys\n"
        "from tests.curation.test_near_duplicates_sharing import *\n"
        f"config = NearDuplicatesConfig(storage={config.storage!r})\n"
        "print(2 - len(drop(make_pair(sys.argv[1], sys.argv[1]), config)))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, ending], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for ending in (".", ",")
    ]

    kept = [int(process.communicate()[0]) for process in processes]

    assert sorted(kept) == [0, 2]


def test_a_repeated_pass_keeps_its_own_records_but_a_twin_of_another_run_is_dropped(
    server: Server,
) -> None:
    config = server.make_config()
    records = make_pair(".", "a")

    assert drop(records, config) == []
    assert drop(records, config) == []
    assert drop(make_pair(".", "b"), config) == [record.id for record in records]


def test_a_better_copy_does_not_replace_what_others_know_of(server: Server) -> None:
    config = server.make_config()
    worse, better = make_pair(",", "a"), make_pair(".", "b")
    drop(worse, config)

    assert drop([*better, *worse], config) == [record.id for record in worse]


def test_thresholds_do_not_share_an_index(server: Server) -> None:
    config = server.make_config()
    drop(make_pair(",", "a"), config)

    other = config.model_copy(update={"threshold": 0.8})
    assert drop(make_pair(".", "b"), other) == []


def test_more_records_than_one_block_are_stored_and_found(server: Server) -> None:
    config = server.make_config()
    records = [
        make_record(f"Task {number}", "en", output=" ".join(str(number * k) for k in range(9, 40)))
        for number in range(1, 1200)
    ]
    new = [
        record.model_copy(
            update={
                "output": f"{record.output} 7",
                "provenance": PROVENANCE.model_copy(update={"completion_id": "b"}),
            }
        )
        for record in records[:1100]
    ]
    dropped = drop(records, config)

    assert len(dropped) < 20
    assert len(drop(new, config)) > 1080


def test_a_wrong_password_and_no_server_are_the_users_to_mend_in_one_line(server: Server) -> None:
    config = server.make_config()
    nowhere = NearDuplicatesConfig(storage="redis://127.0.0.1:1/0")

    for wrong, password in ((config, None), (config, SecretStr("wrong")), (nowhere, None)):
        with pytest.raises(UserError, match=r"wants a Redis at 127\.0\.0\.1") as caught:
            drop_near_duplicates(make_pair(".", "a"), wrong, password=password)
        assert "\n" not in str(caught.value)
        assert "PACALOOM_REDIS_PASSWORD" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:sesame@127.0.0.1:6379/0",
        "rediss://user:sesame@example.org",
        "a@sesame",
        "redis://h/0?password=sesame",
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(StorageAddressError, match="PACALOOM_REDIS_PASSWORD") as caught:
        NearDuplicatesConfig(storage=url)

    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "localhost:6379", "http://localhost", "redis://", "redis://h:x/0", "redis://h/a",
],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(StorageAddressError, match="wanted redis://HOST:PORT/DATABASE"):
        NearDuplicatesConfig(storage=url)
