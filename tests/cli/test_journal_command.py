"""`journal` shows, shares and explains itself; what a machine wrote cannot steer the terminal."""

import json
from pathlib import Path

import pytest

from cli.terminal_text import escape_json, make_visible
from pipeline.generation.journal.journal import Journal
from tests.cli.command import run_pacaloom, run_warm
from tests.generation.journal_making import make_exchange

HOSTILE = "안녕\x1b[2J\x1b]0;owned\x07[bold red]x[/]\x9b31m\u202eevil\r끝"


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    with Journal(tmp_path / "journals" / "first.sqlite") as journal:
        journal.put_all([make_exchange(1, HOSTILE), make_exchange(2)])
    return tmp_path


def test_statistics_are_a_table_and_one_json_line(outputs: Path) -> None:
    done = run_pacaloom("journal", "stats", "first", outputs=outputs)

    assert done.status == 0
    assert json.loads(done.stdout)["total"] == {
        "answers": 2, "requests": 4, "prompt_tokens": 6, "completion_tokens": 10,
    }  # fmt: skip
    assert done.stdout.count("\n") == 1
    assert "strategy structured" in done.stderr


def test_answer_is_shown_without_its_escapes_and_whole_as_json(outputs: Path) -> None:
    exchange = make_exchange(1, HOSTILE)
    id_ = exchange.completion.id

    shown = run_warm("journal", "show", "first", id_[:12], outputs=outputs)
    whole = run_warm("journal", "show", "first", id_, "--json", outputs=outputs)

    assert json.loads(shown.stdout) == {"id": id_, "model": "m"}
    assert "질문 1" in shown.stderr
    assert "안녕␛[2J␛]0;owned␇[bold red]x[/]�31m�evil␍끝" in shown.stderr
    for output in (shown.stderr, whole.stdout):
        assert not set(output) & set("\x1b\x07\x9b\u202e\r")
    assert json.loads(whole.stdout)["completion"]["text"] == HOSTILE
    assert json.loads(whole.stdout)["prompt"] == exchange.prompt.model_dump(mode="json")


def test_exported_journal_is_imported_under_another_name(outputs: Path) -> None:
    file = outputs / "shared.jsonl.gz"

    exported = run_warm("journal", "export", "first", str(file), outputs=outputs)
    imported = run_warm("journal", "import", "second", str(file), outputs=outputs)

    assert json.loads(exported.stdout)["exported"] == 2
    counts = json.loads(imported.stdout)
    assert (counts["added"], counts["present"], counts["different"]) == (2, 0, 0)
    assert counts["journal"] == str(outputs / "journals" / "second.sqlite")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stats", "nobody"], "wanted a journal, found nothing. There are: first."),
        (["show", "first", "zz"], "16 digits of 0-9 and a-f"),
        (["show", "first"], "journal show --help"),
        (["import", "first", "nothing.jsonl"], "nothing.jsonl: No such file"),
        (["polish", "first"], "invalid choice: 'polish'"),
    ],
)
def test_mistake_is_one_line_that_helps(outputs: Path, arguments: list[str], words: str) -> None:
    done = run_warm("journal", *arguments, outputs=outputs)

    assert done.status == 2
    assert words in done.stderr
    assert done.stderr.startswith("pacaloom: error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_letters_of_both_languages_line_feeds_and_tabs_stay() -> None:
    text = "가나다 ㅋㅋ 한글 자모\n\ttab, “quotes” é 😀"

    assert make_visible(text) == text
    assert json.loads(escape_json(json.dumps(text, ensure_ascii=False))) == text
