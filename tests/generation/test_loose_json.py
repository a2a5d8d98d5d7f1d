"""What JSON allows beside strings, what it forbids and teachers write, and the law of values."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.strategies.reading.drafting import Pieces
from pipeline.generation.strategies.reading.loose_json import find_instances, find_records

PIECES = st.lists(
    st.sampled_from(
        ['"', "'", "\\", "{", "}", ",", ":", '"output": "x', "```", "\n", "//", "/*", "*/", "지시",
         "[", "]", "“", "”", '"}', '","instruction":', "a", " "]
    ),
    max_size=7,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(PIECES, PIECES, PIECES)
def test_object_of_strings_is_read_with_the_values_that_json_gives(
    instruction: str, given_: str, output: str
) -> None:
    record = {"instruction": instruction, "input": given_, "output": output}

    assert find_records(json.dumps(record)) == [Pieces(instruction, given_, output)]
    assert find_records(json.dumps(record, ensure_ascii=False)) == [
        Pieces(instruction, given_, output)
    ]


@pytest.mark.parametrize("word", ["city", "도시"])
def test_value_that_is_no_string_is_read_to_its_end_however_long(word: str) -> None:
    people = json.dumps([{word: f"] {{{n}", "input": "x"} for n in range(99)], ensure_ascii=False)
    text = '{"instruction": "List them.", "input": "", "output": ' + people

    assert len(people) > 2_000
    assert find_records(text + "}") == [Pieces("List them.", "", people)]
    assert find_records(text[:-1]) == [Pieces("List them.", "", people[:-1], is_cut=True)]


@pytest.mark.parametrize(
    ("value", "text"),
    [("4", "4"), ("-1.5e3", "-1.5e3"), ("null", ""), ("true", "true"), ("3월 2일", "3월 2일")],
)
def test_value_without_quotes_stays_as_it_was_written(value: str, text: str) -> None:
    assert find_records(f'{{"instruction": "a", "output": {value}}}') == [Pieces("a", "", text)]


@pytest.mark.parametrize(
    "text",
    [
        '[{"output": "1"}, {"input": "b", "output": "2"}]',
        '[{"출력": "1"},\n // next\n {"입력": "b", "출력": "2"}]',
        '{"output": "1"} {"input": "b", "output": "2"}',
    ],
)
def test_braces_between_keys_begin_another_object(text: str) -> None:
    assert find_instances(text) == [Pieces("", "", "1"), Pieces("", "b", "2")]


@pytest.mark.parametrize("note", ["the task", "과제"])
def test_comments_cost_nothing(note: str) -> None:
    text = (
        f'{{\n  // {note}\n  "instruction": "Say hi.", // {note}\n  "input": "", /* {note} */\n'
        f'  "output": "http://a // b" /* {note} */\n}}'
    )

    assert find_records(text) == [Pieces("Say hi.", "", "http://a // b")]


@pytest.mark.parametrize(
    "formula",
    [r"$a \neq \frac{1}{2}$", r"\(\theta \to \nu\)", r"\\(\beta \times \rho\\)", r"각 $\theta$"],
)
def test_commands_of_latex_whose_backslash_was_not_doubled_stay(formula: str) -> None:
    (pieces,) = find_records(f'{{"instruction": "Solve it.", "output": "So:\\n{formula}"}}')

    assert pieces.output == "So:\n" + formula.replace("\\\\", "\\")


def test_escapes_beside_doubled_commands_and_without_formulas_are_escapes() -> None:
    for output in ("$a \\neq b$\nu is a tab:\tan", "새 줄\nu", "$5 and $6"):
        text = json.dumps({"instruction": "가", "output": output})
        assert find_records(text) == [Pieces("가", "", output)]
