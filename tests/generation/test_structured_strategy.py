"""The structured strategy: prompts in both languages, and a parser that no text defeats."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.sampling import Draw, Example
from pipeline.generation.strategies.reading.drafting import is_no_input
from pipeline.generation.strategies.structured import build, parse
from schemas.exchange import Completion, Decoding, Prompt
from schemas.records import Draft, Language
from tests.generation.golden import assert_golden, make_draw, show

WHOLE = {"instruction": "Add the numbers.", "input": "2, 3", "output": "5"}
WHOLE_KO = {"instruction": "두 수를 더하세요.", "input": "2, 3", "output": "5"}


def make_prompt(language: Language = "en") -> Prompt:
    examples = (
        Example("List three fruits.", "", "Apple, pear, fig.", "brainstorming", ("s2",)),
        Example('Say "hi".', "to Ann", "Hi, Ann!", "rewriting", ("s1", "s2")),
    )
    return build(Draw(language, "classification", examples, Decoding(), 5))


def parse_text(text: str, finish_reason: str = "stop", language: Language = "en") -> list[Draft]:
    completion = Completion(id="c1", model="m", text=text, finish_reason=finish_reason)
    return parse(completion, make_prompt(language))


def columns(draft: Draft) -> dict[str, str]:
    return {"instruction": draft.instruction, "input": draft.input, "output": draft.output}


@pytest.mark.parametrize(("language", "word"), [("en", "classification"), ("ko", "분류")])
def test_prompt_shows_each_example_as_a_turn_and_ends_with_the_wanted_kind(
    language: Language, word: str
) -> None:
    prompt = make_prompt(language)

    roles = [message.role for message in prompt.messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert json.loads(prompt.messages[4].content) == {
        "instruction": 'Say "hi".',
        "input": "to Ann",
        "output": "Hi, Ann!",
    }
    assert word in prompt.messages[-1].content
    assert prompt.seed_ids == ("s1", "s2")
    assert (prompt.task_type, prompt.sample_index) == ("classification", 5)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_golden_prompt(language: Language) -> None:
    assert_golden(f"structured_{language}.txt", show(build(make_draw(language))))


def test_first_message_is_fixed_so_that_a_prefix_cache_helps() -> None:
    other = build(Draw("en", "code", (), Decoding(), 0))

    assert make_prompt().messages[0] == other.messages[0]


@pytest.mark.parametrize("record", [WHOLE, WHOLE_KO])
@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{}", id="bare"),
        pytest.param("```json\n{}\n```", id="fenced"),
        pytest.param("Sure! Here is the task:\n{}\nHope it helps, {{you}}.", id="text around"),
        pytest.param("[{}]", id="in a list"),
    ],
)
def test_record_is_read_whatever_stands_around_it(template: str, record: dict[str, str]) -> None:
    text = template.replace("{}", json.dumps(record, ensure_ascii=False, indent=1))

    drafts = parse_text(text)

    assert [columns(draft) for draft in drafts] == [record]
    assert drafts[0].defect is None
    assert drafts[0].provenance.completion_id == "c1"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"instruction": "A", "input": "B", "output": "C",}', id="trailing comma"),
        pytest.param('{"instruction": "A", "input": "B", "output": "C"', id="missing brace"),
        pytest.param('{"output": "C", "input": "B", "instruction": "A"}', id="other order"),
        pytest.param('"instruction": "A",\n"input": "B",\n"output": "C"', id="no braces"),
        pytest.param('{"지시": "A", "입력": "B", "출력": "C"}', id="Korean keys"),
        pytest.param('{"Instruction": "A", "Input": "B", "Output": "C"}', id="capitals"),
    ],
)
def test_broken_json_is_read(text: str) -> None:
    (draft,) = parse_text(text)

    assert columns(draft) == {"instruction": "A", "input": "B", "output": "C"}
    assert draft.defect is None


def test_quotes_and_line_breaks_that_were_not_escaped_stay() -> None:
    (draft,) = parse_text('{"instruction": "Say "hi", please", "input": "", "output": "one\ntwo"}')

    assert draft.instruction == 'Say "hi", please'
    assert draft.output == "one\ntwo"


def test_escapes_are_read_and_unknown_ones_stay() -> None:
    (draft,) = parse_text(
        r'{"instruction": "\uc548\ub155 \ud83d\ude00", '
        r'"output": "a\\b \"c\"\n\(x\) {\"input\": 1}"}'
    )

    assert draft.instruction == "안녕 😀"
    assert draft.output == 'a\\b "c"\n\\(x\\) {"input": 1}'


def test_values_that_are_no_strings_are_kept_as_written() -> None:
    (draft,) = parse_text('{"instruction": "Add.", "input": null, "output": 42}')
    (nested,) = parse_text('{"instruction": "Sort.", "input": [3, "b"], "output": {"k": [1, 2]}}')

    assert columns(draft) == {"instruction": "Add.", "input": "", "output": "42"}
    assert (nested.input, nested.output) == ('[3, "b"]', '{"k": [1, 2]}')


def test_several_records_become_several_drafts_in_order() -> None:
    drafts = parse_text(json.dumps([WHOLE, WHOLE_KO, WHOLE]))

    assert [columns(draft) for draft in drafts] == [WHOLE, WHOLE_KO, WHOLE]
    assert [draft.provenance.position for draft in drafts] == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('{"instruction": "Tell a story.", "input": "", "output": "Once upon', "Once upon"),
        ('{"instruction": "이야기를 해 줘.", "input": "", "output": "옛날', "옛날"),
        ('{"instruction": "Tell a story.", "input": "", "out', ""),
        ('{"instruction": "Tell a story.", "inp', ""),
    ],
)
def test_record_cut_in_the_middle_is_marked(text: str, output: str) -> None:
    (draft,) = parse_text(text, "length")

    assert draft.defect == "truncated"
    assert draft.output == output


def test_complete_records_before_a_cut_are_whole() -> None:
    whole, cut = parse_text(json.dumps([WHOLE, WHOLE])[:-20], "length")

    assert columns(whole) == WHOLE
    assert whole.defect is None
    assert cut.defect == "truncated"


@pytest.mark.parametrize("text", ["", "I cannot do that.", "죄송합니다.", "{}", '{"input": "x"}'])
def test_answer_with_nothing_to_save_is_one_unparseable_draft_with_the_whole_text(
    text: str,
) -> None:
    (draft,) = parse_text(text)

    assert draft.defect == "unparseable"
    assert draft.output == text


@pytest.mark.parametrize(
    "text",
    [
        "No input",
        "<noinput>",
        "N/A",
        "none.",
        "(No input required)",
        "-",
        "없음",
        "<없음>",
        "입력 없음.",
        "해당 없음",
    ],
)
def test_spellings_of_no_input_mean_an_empty_input(text: str) -> None:
    (draft,) = parse_text(json.dumps(WHOLE | {"input": text}))

    assert draft.input == ""


@pytest.mark.parametrize(
    "text", ["None of them came.", "no input device", "없음을 뜻하는 말", "0", "필요"]
)
def test_real_inputs_are_not_taken_for_none(text: str) -> None:
    assert not is_no_input(text)


PIECES = st.sampled_from(
    ['{', '}', '"', "\\", "\\u", "d83d", '"instruction"', '"input": ', '"output":', ":", ",", "[",
     "```", "\n", "한", "\ud800", "\x00", "null", " " * 9]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    text=st.lists(PIECES | st.text(max_size=5)).map("".join),
    reason=st.sampled_from(["stop", "length"]),
)
def test_no_text_makes_the_parser_raise_and_every_draft_can_be_written(
    text: str, reason: str
) -> None:
    drafts = parse_text(text, reason)

    assert drafts
    for draft in drafts:
        assert Draft.model_validate_json(draft.model_dump_json()) == draft


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).map(str.strip)


@settings(max_examples=300, deadline=None)
@given(instruction=TEXTS, output=TEXTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_valid_json_is_read_as_the_json_module_reads_it(
    instruction: str, output: str, ascii_only: bool, indent: int | None
) -> None:
    record = {"instruction": instruction, "input": "x", "output": output}

    (draft,) = parse_text(json.dumps(record, ensure_ascii=ascii_only, indent=indent))

    assert columns(draft) == record
