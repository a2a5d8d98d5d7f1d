"""The alpaca strategy: the original's form of prompt, and a parser that keeps what it loses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.sampling import Draw, Example
from pipeline.generation.strategies.alpaca import build, parse
from schemas.exchange import Completion, Decoding, Prompt
from schemas.records import Draft, Language
from tests.generation.golden import assert_golden, make_draw, show

EXAMPLES = (
    Example("List three\nfruits:", "", "Apple, pear, fig.", "brainstorming", ("s2",)),
    Example("Translate.", "hello", "안녕", "translation", ("s1",)),
    Example("Add.", "2, 3", "5", "arithmetic", ("s3",)),
)


def make_prompt(language: Language = "en") -> Prompt:
    return build(Draw(language, "code", EXAMPLES, Decoding(), 5))


def parse_text(text: str, finish_reason: str = "stop", language: Language = "en") -> list[Draft]:
    completion = Completion(id="c1", model="m", text=text, finish_reason=finish_reason)
    return parse(completion, make_prompt(language))


def columns(text: str, language: Language = "en") -> list[tuple[str, str, str]]:
    drafts = parse_text(text, language=language)
    return [(draft.instruction, draft.input, draft.output) for draft in drafts]


def test_english_prompt_lists_the_examples_as_the_original_does() -> None:
    (message,) = make_prompt().messages

    assert message.content.startswith("Write a list of 20 tasks")
    assert message.content.endswith(
        "List of 20 tasks:\n"
        "###\n1. Instruction: List three fruits\n1. Input:\n<noinput>\n1. Output:\n"
        "Apple, pear, fig.\n"
        "###\n2. Instruction: Translate.\n2. Input:\nhello\n2. Output:\n안녕\n"
        "###\n3. Instruction: Add.\n3. Input:\n2, 3\n3. Output:\n5\n"
        "###\n\nContinue the list with tasks 4 to 20, in the same form. "
        "Write nothing after the last task."
    )


def test_korean_prompt_lists_the_examples_in_korean() -> None:
    (message,) = make_prompt("ko").messages

    assert message.content.startswith("서로 다른 과제 20개의 목록을 만들어 주세요.")
    assert "###\n1. 지시: List three fruits\n1. 입력:\n<없음>\n1. 출력:\n" in message.content
    assert message.content.endswith(
        "###\n\n4번부터 20번까지 같은 형식으로 목록을 이어서 써 주세요. "
        "과제 말고는 아무 말도 덧붙이지 마세요."
    )


@pytest.mark.parametrize("language", ["en", "ko"])
def test_golden_prompt(language: Language) -> None:
    assert_golden(f"alpaca_{language}.txt", show(build(make_draw(language))))


PLAIN = """ Name a colour.
4. Input:
<noinput>
4. Output:
Red.
###
5. Instruction: Shorten the text.
5. Input:
It rains
and rains.
5. Output:
It rains.
"""
PLAIN_TASKS = [
    ("Name a colour.", "", "Red."),
    ("Shorten the text.", "It rains\nand rains.", "It rains."),
]


def test_list_that_goes_on_from_the_open_instruction_is_read() -> None:
    assert columns(PLAIN) == PLAIN_TASKS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("5.", "7.", id="skipped number"),
        pytest.param("5.", "4.", id="repeated number"),
        pytest.param("5.", "", id="no number"),
        pytest.param("5.", "5)", id="bracket"),
        pytest.param("5. ", "5．", id="full-width stop"),
        pytest.param("###", "##", id="two hashes"),
        pytest.param("###\n", "", id="no separator"),
        pytest.param("###\n5. ", "### 5. ", id="hashes on the line of the label"),
        pytest.param("Output:", "**Output:**", id="bold"),
        pytest.param("Output:", "OUTPUT：", id="capitals and full-width colon"),
        pytest.param("<noinput>", "No input", id="No input"),
        pytest.param("<noinput>", "", id="empty input"),
        pytest.param("Instruction", "지시", id="Korean instruction"),
        pytest.param("Input", "입력", id="Korean input"),
        pytest.param("Output", "출력", id="Korean output"),
    ],
)
def test_slips_that_lose_tasks_in_the_original_lose_nothing(old: str, new: str) -> None:
    assert old in PLAIN
    assert columns(PLAIN.replace(old, new)) == PLAIN_TASKS


def test_korean_list_with_a_preamble_is_read() -> None:
    text = (
        "네, 과제를 만들어 보겠습니다.\n\n###\n4. 지시: 다음 문장을 높임말로 바꾸세요.\n"
        "4. 입력:\n밥 먹어.\n4. 출력:\n진지 드세요.\n"
        "###\n5. 지시: 바다에 대한 짧은 시를 써 주세요.\n5. 입력: 없음\n5. 출력: 파도가 온다.\n"
    )

    assert columns(text, "ko") == [
        ("다음 문장을 높임말로 바꾸세요.", "밥 먹어.", "진지 드세요."),
        ("바다에 대한 짧은 시를 써 주세요.", "", "파도가 온다."),
    ]


def test_output_may_speak_of_inputs_and_headings() -> None:
    output = "# Plan\nInput: a file\nOutput: a number\n## Steps\n1. Read it."
    text = f"4. Instruction: Write a plan.\n4. Input:\n4. Output:\n{output}\n###\n"

    assert columns(text) == [("Write a plan.", "", output)]


def test_separator_before_a_missing_part_does_not_split_a_task() -> None:
    text = "4. Instruction: Name a colour.\n###\n4. Input: sky\n###\n4. Output: Blue.\n"

    assert columns(text) == [("Name a colour.", "sky", "Blue.")]


def test_number_of_the_next_task_does_not_end_up_in_the_output() -> None:
    assert columns("4. Instruction: Name it.\n4. Output:\nRed.\n5.") == [("Name it.", "", "Red.")]
    assert columns("4. Instruction: Add.\n4. Output:\n42") == [("Add.", "", "42")]


def test_only_the_last_task_of_a_cut_answer_is_marked() -> None:
    drafts = parse_text(PLAIN.rstrip()[:-5], "length")

    assert [draft.defect for draft in drafts] == [None, "truncated"]
    assert [draft.provenance.position for draft in drafts] == [0, 1]


def test_answer_cut_after_a_separator_has_only_whole_tasks() -> None:
    drafts = parse_text(PLAIN + "###\n6.", "length")

    assert [draft.defect for draft in drafts] == [None, None]


@pytest.mark.parametrize("text", ["", "I cannot do that.", "죄송합니다.", "###\n5.\n###"])
def test_answer_without_a_task_is_one_unparseable_draft(text: str) -> None:
    (draft,) = parse_text(text)

    assert (draft.defect, draft.output) == ("unparseable", text)


PIECES = st.sampled_from(
    ["###", "##", "\n", "4. ", "5.", "Instruction:", "Input:", "Output:", "지시:", "입력：",
     "출력:", "\ud800", "\x00", "**", "<noinput>", "없음", " " * 9]
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


@pytest.mark.parametrize(
    ("text", "language", "instruction"),
    [
        ("1. Instruction: Name it.\n<noinput>\n1. Output:\nRed.", "en", "Name it."),
        ("1. 지시: 이름을 대세요. ＜없음＞\n1. 출력:\n빨강", "ko", "이름을 대세요."),
    ],
)
def test_mark_of_no_input_without_its_label_is_no_part_of_the_instruction(
    text: str, language: Language, instruction: str
) -> None:
    assert columns(text, language)[0][:2] == (instruction, "")
