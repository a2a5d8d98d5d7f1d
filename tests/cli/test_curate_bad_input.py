"""Mistakes in what ``curate`` is given end in one line that helps, and odd files in a version."""

import json
import signal
import unicodedata
from collections.abc import Generator
from pathlib import Path

import pytest

from cli.main import main
from tests.cli.command import run_pacaloom

ROW = {"instruction": "List three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."}


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    handler = signal.getsignal(signal.SIGTERM)
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACALOOM_OUTPUTS", str(tmp_path / "outputs"))
    yield tmp_path / "outputs"
    # The command takes the signal for its process.
    signal.signal(signal.SIGTERM, handler)


def curate_file(content: bytes, folder: Path, *flags: str, name: str = "mine.jsonl") -> int:
    path = folder / name
    path.write_bytes(content)
    return main(["curate", "--input", str(path), "--seeds", "none", "--processes", "1", *flags])


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a mistake ends in."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("pacaloom: error: ")
    return captured.err


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "mine.jsonl", "wanted one JSON object a line, or a list of them, found none"),
        (json.dumps({**ROW, "language": "fr"}).encode(), "mine.jsonl", ":1: language: wanted 'en'"),
        (json.dumps(ROW).encode("utf-16"), "mine.jsonl", "found UTF-16 text"),
        ("배\n".encode("cp949"), "mine.jsonl", ":1: wanted UTF-8 text"),
        (b"PAR1", "mine.parquet", "found a Parquet table. Write its rows as JSON lines"),
        (b"\x1f\x8b\x08", "mine.jsonl.gz", "found a gzip file. Unpack it"),
        (b"instruction,output\n", "mine.csv", "found a csv table"),
        (b"[" * 50_000, "mine.json", "nested too deeply"),
        (b'{"question": "a"}', "mine.json", "Rename the columns"),
    ],
    ids=range(9),
)
def test_file_that_cannot_be_curated_is_named_before_anything_is_begun(
    outputs: Path, capsys: pytest.CaptureFixture[str], content: bytes, name: str, words: str
) -> None:
    assert curate_file(content, outputs.parent, name=name) == 2

    message = complaint(capsys)
    assert name in message
    assert words in message
    assert not outputs.exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--against", "nowhere"], "No dataset 'nowhere'"),
        (["--against", "."], "is not a dataset version: wanted a folder with manifest.json"),
        (["--against", "~nobody-at-all/x"], "found nothing"),
        (["--contamination.sets", "nowhere"], "No dataset 'nowhere'"),
        (["--contamination.sets", "nowhere.jsonl"], "no such file"),
        (["--what-if", "novelty.threshold"], "Wanted KNOB=VALUE"),
        (["--what-if", "novelty.nothing=1"], "There is no knob 'novelty.nothing'"),
        (["--what-if", "novelty.threshold=7"], "less than or equal to 1; found 7"),
        (["--what-if", "novelty.threshold=2001-99-01"], "no value that YAML can read"),
        (["--what-if", "rules.off=" + "[" * 5000], "no value that YAML can read"),
        (["--what-if", "novelty.threshold=0.8", "--prefect"], "leave out --prefect"),
        (["--sweep", "novelty.threshold"], "Wanted KNOB=VALUE"),
        (["--sweep", "novelty.threshold="], "wanted values to sweep"),
        (["--sweep", "novelty.threshold=0.5,high"], "valid number"),
        (["--cluster", "tcp://127.0.0.1:1"], "--prefect"),
        (["--near-duplicates.storage", "elsewhere"], "wanted redis://HOST:PORT/DATABASE"),
        (["--near-duplicates.storage", "redis://me:secret@h/0"], "PACALOOM_REDIS_PASSWORD"),
        (["--judge.min-score", "9"], "judge.min_score"),
        (["--stage", "nothing"], "stage.0: Input should be 'schema', 'duplicate'"),
        (["--rules.profile", "harsh"], "'standard', 'strict', 'lenient' or 'alpaca'"),
        (["--input", "~nobody-at-all/x.jsonl"], "no such file"),
        (["--input", "."], "found a folder"),
        (["--processes", "0"], "processes"),
    ],
)
def test_wrong_value_of_a_flag_is_named_with_what_is_wanted(
    outputs: Path, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    assert curate_file(json.dumps(ROW).encode(), outputs.parent, *flags) == 2

    message = complaint(capsys)
    assert words in message
    assert "secret" not in message
    assert not outputs.exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--judge.model", "nothing"], "no embedded model 'nothing'"),
        (["--near-duplicates.storage", "redis://127.0.0.1:1/0"], "wants a Redis at 127.0.0.1:1"),
    ],
)
def test_help_that_is_not_there_is_named_and_nothing_is_published(
    outputs: Path, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    assert curate_file(json.dumps(ROW).encode(), outputs.parent, *flags) == 2

    assert words in capsys.readouterr().err.splitlines()[-1]
    assert not (outputs / "datasets").exists()


def test_odd_rows_each_end_kept_or_rejected_with_a_reason(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    korean = "봄에 피는 꽃을 하나 말해 줘."
    rows: list[object] = [
        ROW,
        {"instruction": unicodedata.normalize("NFD", korean), "output": "개나리입니다.\r\n"},
        {"instruction": korean, "output": "진달래입니다."},
        {"instruction": "a \ud800 b", "output": "c"},
        {"instruction": "NUL \x00", "output": "c"},
        {"instruction": "\u202eright to left", "output": "c"},
        {"instruction": "zero\u200bwidth", "output": "c"},
        {"instruction": "😀😀", "output": "🎉"},
        {"instruction": "긴 글 " * 300_000, "output": "네."},
        {"instruction": "What is 40 + 2?", "output": 42},
        {"instruction": {"text": "nested"}, "output": ["a"]},
        {"instruction": None, "output": None},
        {"output": "배"},
        {},
    ]

    status = curate_file(b"\xef\xbb\xbf" + json.dumps(rows).encode(), outputs.parent, name="a.json")

    outcome = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (outcome["generated"], outcome["kept"]) == (14, 3)
    assert outcome["rejected"] == {
        "broken-text": 4,
        "empty-instruction": 3,
        "exact-duplicate": 1,
        "instruction-too-short": 1,
        "too-long": 1,
        "wrong-type": 1,
    }


def test_file_name_and_texts_that_no_terminal_can_print_end_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.jsonl"
    path.write_text('{"instruction": "a", "language": "\\ud800\\u001b[31m"}')

    done = run_pacaloom("curate", "--input", str(path), outputs=tmp_path / "o")

    assert done.status == 2
    assert done.stderr.count("\n") == 1
    assert ":1: language: wanted 'en' or 'ko'" in done.stderr
    assert "\x1b" not in done.stderr
