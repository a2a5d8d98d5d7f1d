"""The tolerant parsers against the original's: what it finds they find, and what it loses too."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.strategies.reading.drafting import Pieces, is_no_input
from pipeline.generation.strategies.reading.loose_json import find_records
from pipeline.generation.strategies.reading.numbered_list import find_tasks

Task = tuple[str, str, str]


def read_as_the_original(text: str, finish_reason: str = "stop") -> list[Task]:
    """Split as ``post_process_gpt3_response`` does after three examples; without its filters."""
    tasks: list[Task] = []
    blocks = re.split("###", "4. Instruction:" + text)
    if finish_reason == "length":
        blocks = blocks[:-1]
    for number, block in enumerate(blocks, 4):
        parts = re.split(rf"{number}\.\s+(Instruction|Input|Output):", block)
        if len(parts) == 7:
            given = parts[4].strip()
            tasks.append(
                (
                    parts[2].strip(),
                    "" if given.lower() == "<noinput>" else given,
                    parts[6].strip(),
                )
            )
    return tasks


def read(text: str, finish_reason: str = "stop") -> list[Task]:
    """Read as the alpaca strategy does; cut tasks are left out."""
    found = find_tasks(text, is_cut=finish_reason == "length")
    return [tidy(pieces) for pieces in found if not pieces.is_cut]


def tidy(pieces: Pieces) -> Task:
    given = "" if is_no_input(pieces.input) else pieces.input
    return pieces.instruction, given, pieces.output


ENGLISH = """ Name a colour of autumn.
4. Input:
<noinput>
4. Output:
Red.
###
5. Instruction: Shorten the text.
5. Input:
It rains and rains.
5. Output:
It rains.
###
6. Instruction: Add the numbers.
6. Input:
2, 3
6. Output:
5
"""
ENGLISH_TASKS: list[Task] = [
    ("Name a colour of autumn.", "", "Red."),
    ("Shorten the text.", "It rains and rains.", "It rains."),
    ("Add the numbers.", "2, 3", "5"),
]
KOREAN = """ 가을의 빛깔을 하나 말해 주세요.
4. 입력:
<없음>
4. 출력:
빨강입니다.
###
5. 지시: 다음 글을 줄이세요.
5. 입력:
비가 오고 또 옵니다.
5. 출력:
비가 옵니다.
###
6. 지시: 두 수를 더하세요.
6. 입력:
2, 3
6. 출력:
5
"""
KOREAN_TASKS: list[Task] = [
    ("가을의 빛깔을 하나 말해 주세요.", "", "빨강입니다."),
    ("다음 글을 줄이세요.", "비가 오고 또 옵니다.", "비가 옵니다."),
    ("두 수를 더하세요.", "2, 3", "5"),
]


def in_english_labels(text: str) -> str:
    """Give the original a chance: it knows no Korean label."""
    labels = {"지시:": "Instruction:", "입력:": "Input:", "출력:": "Output:", "<없음>": "<noinput>"}
    for korean, english in labels.items():
        text = text.replace(korean, english)
    return text


def test_both_read_a_faultless_list() -> None:
    assert read(ENGLISH) == read_as_the_original(ENGLISH) == ENGLISH_TASKS
    assert read(KOREAN) == read_as_the_original(in_english_labels(KOREAN)) == KOREAN_TASKS


SLIPS = [
    # What is replaced, by what, and how many of the three tasks the original still finds whole.
    pytest.param("5. ", "6. ", 2, id="number skipped, then repeated"),
    pytest.param("5. ", "", 2, id="no number"),
    pytest.param("5. ", "5) ", 2, id="bracket behind the number"),
    pytest.param("5. ", "５． ", 2, id="full-width number and point"),
    pytest.param("###\n5", "##\n5", 0, id="two hashes, so that all later numbers are wrong"),
    pytest.param("###\n", "\n", 0, id="no separator"),
    pytest.param("###\n", "###\n###\n", 1, id="separator twice, so that numbers are wrong"),
    pytest.param("###\n5", "### Task 5\n5", 3, id="task named in the separator"),
]
SLIPS_OF_LABELS = [
    pytest.param(":\n", "：\n", 0, id="full-width colon"),
    pytest.param("noinput", "No input", 2, id="no input in words"),
    pytest.param("<noinput>", "N/A", 2, id="not applicable"),
    pytest.param("<noinput>", "（None）", 2, id="none in full-width brackets"),
    pytest.param("<noinput>", "", 3, id="empty input"),
    pytest.param("6. Output:\n", "6. **Output**:\n", 2, id="bold"),
    pytest.param("Instruction:", "INSTRUCTION:", 1, id="capitals"),
    pytest.param("Instruction", "지시", 1, id="Korean instruction"),
    pytest.param("Input", "입력", 0, id="Korean input"),
    pytest.param("Output", "출력", 0, id="Korean output"),
]
SLIPS_OF_KOREAN_LABELS = [
    pytest.param("입력:\n", "【입력】\n", id="lens brackets"),
    pytest.param("출력:", "[출력]:", id="square brackets"),
    pytest.param("지시:", "지시문：", id="full-width colon"),
    pytest.param("입력:", "입력값:", id="another word for input"),
    pytest.param("6. ", "과제 6. ", id="task named in the label"),
    pytest.param("5. ", "５）", id="full-width number and bracket"),
    pytest.param("<없음>", "〈없음〉", id="angle brackets"),
    pytest.param("<없음>", "（없음）", id="full-width brackets"),
    pytest.param("<없음>", "입력 없음", id="no input"),
    pytest.param("<없음>", "해당 사항 없음.", id="not applicable"),
    pytest.param("<없음>", "입력이 필요하지 않습니다.", id="in a sentence"),
]


@pytest.mark.parametrize(("old", "new", "found_by_original"), SLIPS)
def test_slip_that_costs_the_original_tasks_costs_none_here(
    old: str, new: str, found_by_original: int
) -> None:
    for text, tasks in ((ENGLISH, ENGLISH_TASKS), (KOREAN, KOREAN_TASKS)):
        assert old in text
        assert read(text.replace(old, new)) == tasks
        original = read_as_the_original(in_english_labels(text.replace(old, new)))
        assert len([task for task in original if task in tasks]) == found_by_original


@pytest.mark.parametrize(("old", "new", "found_by_original"), SLIPS_OF_LABELS)
def test_slip_in_a_label_that_costs_the_original_tasks_costs_none_here(
    old: str, new: str, found_by_original: int
) -> None:
    assert old in ENGLISH
    slipped = ENGLISH.replace(old, new)

    assert read(slipped) == ENGLISH_TASKS
    original = read_as_the_original(slipped)
    assert len([task for task in original if task in ENGLISH_TASKS]) == found_by_original


@pytest.mark.parametrize(("old", "new"), SLIPS_OF_KOREAN_LABELS)
def test_slip_in_a_korean_label_costs_no_task(old: str, new: str) -> None:
    assert old in KOREAN
    assert read(KOREAN.replace(old, new)) == KOREAN_TASKS


@pytest.mark.parametrize(("text", "tasks"), [(ENGLISH, ENGLISH_TASKS), (KOREAN, KOREAN_TASKS)])
def test_cut_last_task_costs_only_itself(text: str, tasks: list[Task]) -> None:
    cut = text[:-4]

    assert read(cut, "length") == tasks[:2]
    assert [pieces.is_cut for pieces in find_tasks(cut, is_cut=True)] == [False, False, True]
    # A limit that falls behind the separator cuts nothing.
    whole = text + "###\n"
    assert read(whole, "length") == tasks


def test_stop_string_of_the_original_is_no_loss_here() -> None:
    # The original stops at "20." anywhere, so "It was founded in 1920." ends its completion.
    text = ENGLISH.replace("Red.", "In 1920. Red since then.")

    assert read(text)[0][2] == "In 1920. Red since then."
    assert read_as_the_original(text.split("20.", maxsplit=1)[0])[0][2] == "In 19"


def test_heads_of_the_next_task_do_not_stick_to_an_output() -> None:
    for head in ("5.", "### Task 5", "**Task 5**", "과제 5:", "---\n\n과제 5", "\n5)\n"):
        text = f" Name it now.\n4. Output:\nRed.\n{head}\nInstruction: Add.\nOutput:\n5"
        assert read(text) == [("Name it now.", "", "Red."), ("Add.", "", "5")]


def test_tasks_in_one_line_are_read_as_the_original_reads_them() -> None:
    text = " Name it now. 4. Input: <noinput> 4. Output: Red.### 5. Instruction: Add. 5. Input: 1 5. Output: 1"  # noqa: E501

    assert read(text) == read_as_the_original(text)
    assert len(read(text)) == 2


@pytest.mark.parametrize(
    "instruction",
    [
        "Explain step 3. Then go on to step 4: the glaze.",
        "3단계. 다음에 할 일을 설명하고 4장: 유약을 요약하세요.",
        "Multiply 1.5 by 2.",
    ],
)
def test_numbers_inside_an_instruction_stay(instruction: str) -> None:
    assert read(f" {instruction}\n4. Output:\nDone.") == [(instruction, "", "Done.")]
    assert read(f"###\n4. Instruction: {instruction}\n4. Output:\nDone.") == [
        (instruction, "", "Done.")
    ]


@pytest.mark.parametrize(("text", "tasks"), [(ENGLISH, ENGLISH_TASKS), (KOREAN, KOREAN_TASKS)])
def test_bold_labels_with_their_numbers_leave_no_marks_behind(text: str, tasks: list[Task]) -> None:
    bold = re.sub(r"(?m)^(\d\. \w+:)", r"**\1**", text)

    assert bold.count("**") == 16
    assert read(bold) == tasks


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("Steps:\n1. Input: the name.\n2. Output: a line.", id="en list"),
        pytest.param("순서:\n1. 입력: 이름.\n2. 출력: 한 줄.", id="ko list"),
        pytest.param("```python\n###\n# Setup\n###\nx = 1\n```", id="comment"),
        pytest.param("```python\n###\n# 준비\n###\nx = 1\n```", id="ko comment"),
        pytest.param("```\n# grep2\n##\n### Input\nA file.\n### Output\nLines.\n```", id="readme"),
        pytest.param("```\n# 도구\n##\n### 입력\n파일\n### 출력\n줄\n```", id="ko readme"),
        pytest.param("```\nInstruction: Add.\nInput: 1, 2\nOutput: 3\n```", id="template"),
        pytest.param("```\n지시: 더하세요.\n입력: 1, 2\n출력: 3\n```", id="ko template"),
    ],
)
def test_lists_and_code_in_an_output_stay_there(output: str) -> None:
    text = (
        f"###\n4. Instruction: Name it.\n4. Output:\n{output}\n###\n5. 지시: 더하세요.\n5. 출력: 5"
    )

    assert read(text) == [("Name it.", "", output), ("더하세요.", "", "5")]


def test_code_block_behind_a_label_is_one_too() -> None:
    text = "4. Instruction: Fix it.\n4. Input: ```\nOutput: x\n```\n4. Output: ```\n###\n```"

    assert read(text) == [("Fix it.", "```\nOutput: x\n```", "```\n###\n```")]


def test_code_block_that_is_never_closed_costs_no_later_task() -> None:
    text = "4. Instruction: a\n4. Output:\n```\nx\n###\n5. 지시: b\n5. 출력: c"

    assert read(text) == [("a", "", "```\nx\n###"), ("b", "", "c")]


def test_code_block_around_the_whole_answer_hides_no_label() -> None:
    text = "```\nInstruction: a\nInput: b\nOutput: c\n###\n지시: d\n입력: e\n출력: f"

    assert read(text) == [("a", "b", "c"), ("d", "e", "f")]


@pytest.mark.parametrize(
    ("text", "task"),
    [
        pytest.param(
            "4. Instruction: Write a function. An example:\nInput: 1 2\nOutput: 3\n"
            "4. Input:\n<noinput>\n4. Output:\na + b",
            ("Write a function. An example:\nInput: 1 2\nOutput: 3", "", "a + b"),
            id="en in the instruction",
        ),
        pytest.param(
            "4. Instruction: Work out the rule.\n4. Input:\nInput: 2\nOutput: ?\n4. Output:\n8",
            ("Work out the rule.", "Input: 2\nOutput: ?", "8"),
            id="en in the input",
        ),
        pytest.param(
            "4. 지시: 함수를 쓰세요. 보기:\n입력: 1 2\n출력: 3\n4. 입력: 없음\n4. 출력:\na + b",
            ("함수를 쓰세요. 보기:\n입력: 1 2\n출력: 3", "", "a + b"),
            id="ko in the instruction",
        ),
        pytest.param(
            "5. 지시: 날짜를 뽑으세요.\n5. 입력:\n입력 기한: 3월 2일\n출력: 가능\n5. 출력: 3월 2일",
            ("날짜를 뽑으세요.", "입력 기한: 3월 2일\n출력: 가능", "3월 2일"),
            id="ko in the input",
        ),
    ],
)
def test_label_with_the_number_of_its_task_goes_before_one_without(text: str, task: Task) -> None:
    assert read(text) == [task]


WORDS = st.text(st.sampled_from("abcde ,.가나다라?!'\"()"), min_size=1, max_size=30).map(str.strip)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(WORDS.filter(bool), WORDS, WORDS.filter(bool)), min_size=1, max_size=6))
def test_what_the_original_finds_is_found(tasks: list[Task]) -> None:
    blocks = [
        f"{number}. Instruction: {asked}\n{number}. Input:\n{given or '<noinput>'}\n"
        f"{number}. Output:\n{output}\n"
        for number, (asked, given, output) in enumerate(tasks, 4)
    ]
    text = "###\n".join(blocks).removeprefix("4. Instruction:")

    assert read(text) == read_as_the_original(text) == tasks


RECORD = {"instruction": "두 수를 더하세요. Add them.", "input": "2, 3", "output": "5입니다."}
JSON = json.dumps(RECORD, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"```json\n{JSON}\n```", id="fenced"),
        pytest.param(f"다음은 과제입니다.\n```\n{JSON}\n```\n도움이 되었길!", id="text around"),
        pytest.param(JSON[:-1] + ",}", id="trailing comma"),
        pytest.param(f"[{JSON},]", id="trailing comma in a list"),
        pytest.param(JSON[:-1], id="brace missing"),
        pytest.param(JSON.replace('": ', '"： ').replace('", "', '"， "'), id="full width"),
        pytest.param(JSON.replace('"', "'"), id="single quotes"),
        pytest.param(re.sub(r'"([^"]+)"', "“\\1”", JSON), id="curly quotes"),
        pytest.param(
            JSON.replace("instruction", "지시").replace("input", "입력").replace("output", "출력"),
            id="Korean keys",
        ),
    ],
)
def test_json_with_slips_is_read(text: str) -> None:
    (pieces,) = find_records(text)

    assert pieces == Pieces(RECORD["instruction"], RECORD["input"], RECORD["output"])


@pytest.mark.parametrize("end", range(len(JSON) + len('["'), len(2 * JSON)))
def test_json_cut_anywhere_in_its_second_record_keeps_the_first(end: int) -> None:
    first, *rest = find_records(f"[{JSON}, {JSON}]"[:end])

    assert first == Pieces(RECORD["instruction"], RECORD["input"], RECORD["output"])
    assert all(pieces.is_cut for pieces in rest if not pieces.output.endswith("입니다."))


@pytest.mark.parametrize(
    "text",
    ["No input.", "No input needed", "no_input", "<NoInput>", "\"No input\"", "*none*", "(N/A)",
     "No additional input required.", "Not applicable", "Not needed", "null", "--",
     "없음", "없습니다.", "＜없음＞", "【없음】", "「입력 없음」", "입력값 없음",
     "입력이 없습니다.",
     "필요 없음", "필요하지 않음", "별도의 입력 없음", "추가 입력 필요 없음", "해당 없음", "불필요",
     "<noinput>\n"],
)  # fmt: skip
def test_spellings_of_no_input_are_known(text: str) -> None:
    assert is_no_input(text)


@pytest.mark.parametrize(
    "text",
    ["No input lag was noticed.", "none of us", "없음표", "입력 없음 오류가 났습니다.",
     "필요 없는 물건", "The input is needed.", "입력", "해당 없음을 고르세요", "0", "non", ""],
)  # fmt: skip
def test_texts_that_only_resemble_no_input_are_inputs(text: str) -> None:
    assert not is_no_input(text)
