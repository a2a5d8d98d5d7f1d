"""Export and import: two people share one journal, and neither can be handed a false line."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.budget.caps import Spending
from pipeline.generation.journal.exchange import (
    ExportFileError,
    ImportCounts,
    export_journal,
    import_journal,
)
from pipeline.generation.journal.journal import Journal, JournalError, PendingBatch
from schemas.exchange import Exchange
from tests.generation.journal_making import exchanges, make_exchange


def fill(path: Path, count: int) -> list[Exchange]:
    made = [make_exchange(number, f"답 {number}\u2028x") for number in range(count)]
    with Journal(path, clock=lambda: 1_700_000_000.25) as journal:
        journal.put_all(made)
    return made


def rewrite(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    # Not splitlines(), which takes U+2028 for the end of a line.
    lines = [line + "\n" for line in path.read_text().split("\n")[:-1]]
    path.write_text("".join(change(lines)))


@pytest.mark.parametrize("name", ["j.jsonl", "j.jsonl.gz"])
def test_export_of_an_import_is_the_export_byte_by_byte(tmp_path: Path, name: str) -> None:
    made = fill(tmp_path / "a.sqlite", 1203)

    assert export_journal(tmp_path / "a.sqlite", tmp_path / name) == 1203
    counts = import_journal(tmp_path / "b.sqlite", tmp_path / name)
    export_journal(tmp_path / "b.sqlite", tmp_path / f"b.{name}")

    assert counts == ImportCounts(added=1203, present=0, different=0)
    assert (tmp_path / f"b.{name}").read_bytes() == (tmp_path / name).read_bytes()
    with Journal(tmp_path / "b.sqlite") as journal:
        keys = [exchange.completion.id for exchange in made]
        assert journal.get_all(keys) == [exchange.completion for exchange in made]


@settings(max_examples=15, deadline=None)
@given(made=exchanges, order=st.randoms(use_true_random=False))
def test_lines_in_any_order_give_the_same_look_ups(made: list[Exchange], order: Random) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Journal(folder / "a.sqlite") as journal:
            journal.put_all(made)
        export_journal(folder / "a.sqlite", folder / "e.jsonl")
        header, *lines = (folder / "e.jsonl").read_bytes().split(b"\n")[:-1]
        order.shuffle(lines)
        (folder / "e.jsonl").write_bytes(b"\n".join([header, *lines, b""]))

        import_journal(folder / "b.sqlite", folder / "e.jsonl")

        with Journal(folder / "b.sqlite") as journal:
            keys = [exchange.completion.id for exchange in made]
            assert journal.get_all(keys) == [exchange.completion for exchange in made]
            assert len(journal) == len(made)


def test_answers_that_are_there_stay_and_are_counted(tmp_path: Path) -> None:
    fill(tmp_path / "a.sqlite", 3)
    export_journal(tmp_path / "a.sqlite", tmp_path / "e.jsonl")
    with Journal(tmp_path / "b.sqlite") as journal:
        journal.put(*make_exchange(0, "답 0\u2028x"))
        journal.put(*make_exchange(1, "another answer"))

    counts = import_journal(tmp_path / "b.sqlite", tmp_path / "e.jsonl")
    again = import_journal(tmp_path / "b.sqlite", tmp_path / "e.jsonl")

    assert counts == ImportCounts(added=1, present=2, different=1)
    assert again == ImportCounts(added=0, present=3, different=1)
    with Journal(tmp_path / "b.sqlite") as journal:
        found = journal.get(make_exchange(1).completion.id)
        assert found is not None
        assert found.text == "another answer"


def test_export_holds_neither_spendings_nor_batches(tmp_path: Path) -> None:
    fill(tmp_path / "a.sqlite", 1)
    with Journal(tmp_path / "a.sqlite") as journal:
        journal.put_all([], {"private-run": Spending(1, 2, 3, 4.0, 5.0)})
        journal.write_batch(PendingBatch("batch_private", "m", ("k",)))

    export_journal(tmp_path / "a.sqlite", tmp_path / "e.jsonl")

    header, line = (tmp_path / "e.jsonl").read_text().split("\n")[:-1]
    assert "private" not in header + line
    assert json.loads(header) == {"format": "pacaloom-journal-export/1", "exchanges": 1}
    assert set(json.loads(line)) == {"arrived_s", "prompt", "completion"}
    assert json.loads(line)["arrived_s"] == 1_700_000_000.25


def with_other_answer_id(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace("질문 0", "질문 9"), *lines[2:]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(with_other_answer_id, ":2: completion.id: wanted", id="false-key"),
        pytest.param(lambda lines: ["{}\n", *lines[1:]], "no export of a journal", id="no-header"),  # pyright: ignore[reportUnknownLambdaType]
        pytest.param(
            lambda lines: [lines[0].replace("export/1", "export/9"), *lines[1:]],  # pyright: ignore[reportUnknownLambdaType]
            ":1: format: Input should be 'pacaloom-journal-export/1'",
            id="other-format",
        ),
        pytest.param(
            lambda lines: [*lines[:2], lines[2].replace('"attempts":2', '"attempts":0')],  # pyright: ignore[reportUnknownLambdaType]
            ":3: completion.attempts",
            id="field",
        ),
        pytest.param(lambda lines: [*lines[:3], "\n"], ":4: line", id="blank-line"),  # pyright: ignore[reportUnknownLambdaType]
        pytest.param(lambda lines: lines[:-1], "wanted 3 exchanges .* found 2", id="cut"),  # pyright: ignore[reportUnknownLambdaType]
        pytest.param(lambda lines: [], ":1: line", id="empty"),  # pyright: ignore[reportUnknownLambdaType]
    ],
)
def test_faulty_export_is_refused_by_line_and_field(
    tmp_path: Path, change: Callable[[list[str]], list[str]], words: str
) -> None:
    fill(tmp_path / "a.sqlite", 3)
    export_journal(tmp_path / "a.sqlite", tmp_path / "e.jsonl")
    rewrite(tmp_path / "e.jsonl", change)

    with pytest.raises(ExportFileError, match=words):
        import_journal(tmp_path / "b.sqlite", tmp_path / "e.jsonl")

    assert not (tmp_path / "b.sqlite").exists()


def test_count_that_no_database_holds_is_one_clear_line(tmp_path: Path) -> None:
    fill(tmp_path / "a.sqlite", 1)
    export_journal(tmp_path / "a.sqlite", tmp_path / "e.jsonl")
    rewrite(
        tmp_path / "e.jsonl",
        lambda lines: [
            lines[0],
            lines[1].replace('"prompt_tokens":3', f'"prompt_tokens":{10**30}'),
        ],
    )

    with pytest.raises(ExportFileError, match=":2: completion: wanted counts below"):
        import_journal(tmp_path / "b.sqlite", tmp_path / "e.jsonl")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(b'{"format":' * 99)[:-9], id="cut"),
        pytest.param(b"plain text", id="not-compressed"),
        pytest.param(gzip.compress(b"\xff\xfe"), id="not-utf-8"),
    ],
)
def test_compressed_file_that_cannot_be_read_is_one_clear_line(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "e.jsonl.gz").write_bytes(content)

    with pytest.raises(ExportFileError, match=r"e\.jsonl\.gz is cut or damaged"):
        import_journal(tmp_path / "b.sqlite", tmp_path / "e.jsonl.gz")

    assert not (tmp_path / "b.sqlite").exists()


def test_export_of_no_journal_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite").touch()

    with pytest.raises(JournalError, match=r"found nothing\. There are: empty"):
        export_journal(tmp_path / "a.sqlite", tmp_path / "e.jsonl")
    with pytest.raises(JournalError, match="found an empty file"):
        export_journal(tmp_path / "empty.sqlite", tmp_path / "e.jsonl")

    assert [path.name for path in tmp_path.iterdir()] == ["empty.sqlite"]
    assert (tmp_path / "empty.sqlite").stat().st_size == 0
