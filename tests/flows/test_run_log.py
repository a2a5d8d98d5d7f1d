"""The run log: whole lines from several processes, bounded in size, and no key in it."""

import json
import multiprocessing
import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.observing.masking import Mask, make_mask
from flows.observing.run_log import LogLine, RunLog, tell_time
from flows.settings import Settings

OPEN = Mask([])


def make_line(message: str, run: str = "r1", **values: object) -> LogLine:
    return LogLine.model_validate(
        {
            "time": tell_time(),
            "level": "info",
            "event": "said",
            "flow": "generate",
            "run": run,
            "message": message,
            **values,
        }
    )


def read_files(folder: Path) -> list[dict[str, object]]:
    files = sorted(folder.glob("runs*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def write_many(folder: Path, writer: int, count: int) -> None:
    log = RunLog(folder, OPEN, most_bytes=40_000, kept_files=50)
    for number in range(count):
        log.write(make_line(f"과일 {number} " + "x" * (number % 300), run=f"w{writer}"))


def test_line_says_when_utc_and_leaves_out_what_is_empty(tmp_path: Path) -> None:
    RunLog(tmp_path, OPEN).write(make_line("Kept 3 of 4 drafts", dataset="demo/0001-abc"))

    [line] = read_files(tmp_path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line.pop("time")))
    assert line == {
        "level": "info",
        "event": "said",
        "flow": "generate",
        "run": "r1",
        "dataset": "demo/0001-abc",
        "message": "Kept 3 of 4 drafts",
    }


def test_processes_that_write_and_rotate_at_once_lose_and_mix_no_line(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=write_many, args=(tmp_path, writer, 300)) for writer in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    lines = read_files(tmp_path)
    assert len(lines) == 4 * 300
    assert len(list(tmp_path.glob("runs.*.jsonl"))) > 3


def test_old_files_go_so_that_the_log_stays_small(tmp_path: Path) -> None:
    log = RunLog(tmp_path, OPEN, most_bytes=2_000, kept_files=3)

    for number in range(100):
        log.write(make_line(f"{number} " + "x" * 100))

    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["runs.1.jsonl", "runs.2.jsonl", "runs.jsonl"]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 3 * 2_000
    # What is left is the newest, in order.
    numbers = [
        int(json.loads(line)["message"].split()[0])
        for name in ("runs.2.jsonl", "runs.1.jsonl", "runs.jsonl")
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert numbers == list(range(100 - len(numbers), 100))


def test_line_after_one_that_was_cut_short_is_whole(tmp_path: Path) -> None:
    log = RunLog(tmp_path, OPEN)
    log.write(make_line("first"))
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + whole[:20])

    log.write(make_line("third"))

    lines = log.path.read_text().splitlines()
    assert json.loads(lines[-1])["message"] == "third"
    assert [line.message for line in log.read_back("r1")] == ["third", "first"]


def test_reading_back_gives_one_run_s_lines_the_newest_first(tmp_path: Path) -> None:
    log = RunLog(tmp_path, OPEN)
    for message, run in [("a", "r1"), ("b", "r10"), ("r1", "other"), ("c", "r1")]:
        log.write(make_line(message, run=run))

    assert [line.message for line in log.read_back("r1")] == ["c", "a"]
    assert list(RunLog(tmp_path / "none", OPEN).read_back("r1")) == []


@pytest.mark.parametrize(
    ("secret", "spelt"),
    [
        pytest.param("sk-0123456789", "401 for key sk-0123456789.", id="plain"),
        pytest.param("sk-0123456789", "prefixsk-0123456789suffix", id="within-a-word"),
        pytest.param("pass/wörd=1", "http://h/?k=pass%2Fw%C3%B6rd%3D1", id="in-an-address"),
        pytest.param('qu"ote\\d-key', '{"key": "qu\\"ote\\\\d-key"}', id="in-json"),
        pytest.param("x1", "key 'x1'", id="short"),
    ],
)
def test_secret_is_masked_however_it_is_spelt(secret: str, spelt: str) -> None:
    hidden = Mask([secret]).hide(spelt)

    assert "***" in hidden
    assert secret not in hidden


def test_key_that_is_a_common_word_leaves_other_words_alone() -> None:
    assert Mask(["none"]).hide("nonetheless, none came") == "nonetheless, *** came"


def test_name_and_password_in_an_address_are_masked_without_being_known() -> None:
    hidden = Mask([]).hide("https://me:hunter2@host.example/v1 said 500")

    assert hidden == "https://***@host.example/v1 said 500"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        pytest.param("https://me:p@ss@host/v1", "https://***@host/v1", id="at"),
        pytest.param("scheme://u:a/b@h", "scheme://***@h", id="slash"),
        pytest.param("redis://:a/b@c@h:6379/0", "redis://***@h:6379/0", id="both-and-no-name"),
        pytest.param("https://token@h/a@b", "https://***@h/a@b", id="token-and-at-in-the-path"),
        pytest.param(
            "http://h/v1,https://me:p/w@h", "http://h/v1,https://***@h", id="second-of-two"
        ),
        pytest.param("http://h:80/v1 me@h", "http://h:80/v1 me@h", id="mail-behind"),
        pytest.param("https://h/model@main", "https://h/model@main", id="at-in-the-path"),
    ],
)
def test_password_is_masked_whatever_signs_it_has(address: str, shown: str) -> None:
    assert Mask([]).hide(f"asked {address}: 500") == f"asked {shown}: 500"


def test_hostile_text_is_masked_in_time_that_grows_with_it() -> None:
    hostile = "://a:" * 200_000

    assert Mask([]).hide(hostile) == hostile


def test_text_that_is_no_unicode_is_written_spelt_out_and_read_back(tmp_path: Path) -> None:
    log = RunLog(tmp_path, OPEN)

    log.write(
        make_line("it said a\udcffb", step="read \ud800", name="\udcfe", facts={"raw": ["\udfff"]})
    )

    [line] = log.read_back("r1")
    assert line.name == r"\udcfe"
    assert line.message == r"it said a\udcffb"
    assert line.step == r"read \ud800"
    assert line.facts == {"raw": [r"\udfff"]}


def test_where_a_webhook_stands_is_no_secret_but_its_tokens_are() -> None:
    addresses = "json://127.0.0.1:4799/pacaloom https://h.example/aB3dEfGh9"
    settings = Settings(notify=SecretStr(addresses))

    hidden = make_mask(settings).hide("http://127.0.0.1:80 pacaloom h.example aB3dEfGh9")

    assert hidden == "http://127.0.0.1:80 pacaloom h.example ***"


def test_address_that_is_none_is_masked_all_the_same() -> None:
    settings = Settings(notify=SecretStr("slack://[T0KEN_1234"))

    assert "T0KEN" not in make_mask(settings).hide("could not use slack://[T0KEN_1234")


def test_no_key_of_the_settings_reaches_the_log(tmp_path: Path) -> None:
    keys = ["sk-teacher-1234", "hf_abcdefgh", "redis-pa55word", "T0KEN_A_1234", "T0KEN_B_5678"]
    settings = Settings(
        api_key=SecretStr(keys[0]),
        hf_token=SecretStr(keys[1]),
        redis_password=SecretStr(keys[2]),
        notify=SecretStr(f"slack://{keys[3]}/{keys[4]} json://127.0.0.1:1/"),
        outputs=tmp_path,
    )
    log = RunLog(tmp_path, make_mask(settings))

    log.write(make_line(f"refused: {keys}", facts={"deep": [{keys[0]: keys[1:]}]}))

    text = log.path.read_text()
    assert not [key for key in keys if key in text]
    json.loads(text)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(OSError, match="denied"):
        RunLog(tmp_path / "logs", OPEN).write(make_line("x"))
