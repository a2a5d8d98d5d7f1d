import pytest

from pipeline.curation.rules.leftovers import LEFTOVER_RULES
from pipeline.curation.rules.view import RecordView
from schemas.records import Language
from tests.curation.making import make_record

BLANKS, PROMPT, LINKS = LEFTOVER_RULES


def view(
    output: str, instruction: str = "Write a short letter.", language: Language = "en"
) -> RecordView:
    return RecordView(make_record(instruction, language, output=output))


@pytest.mark.parametrize(
    "output",
    [
        "Dear [Hiring Manager], I apply.",
        "Come to [Venue] at four.",
        "I have known her for [number] years.",
        "Happy birthday, {name}!",
        "We helped {{number_of_animals}} animals.",
        "Hi (friend's name), see you.",
        "It measures XX by XX cm.",
        "Class of 20XX, we did it.",
        "The chair welcomed ____ members.",
        "Dear Customer Name,\nthank you.",
        "[Add a story here.] Since then I rest.",
        "<지원자 이름>님, 안녕하세요.",
        "(고객명) 고객님, 축하드립니다.",
        "__월 __일에 만나요.",
        "막내 XXX 씨를 소개합니다.",
        "○월 ○일에 엽니다.",
        "[참석자 명단]을 보냅니다.",
        "(사유를 입력하세요) 때문에 쉽니다.",
        "김서방 OOO 드림",
    ],
)
def test_blank_is_found(output: str) -> None:
    assert BLANKS.find(view(output))


@pytest.mark.parametrize(
    "output",
    [
        "He said that [the company] would pay [sic], as in [1].",
        "[Chorus]\nRow, row, row your boat",
        "Read [here](manual.md) or [the name](names.html).",
        "`{name}` and `[date]` are variables.",
        "matrix[name] and f(name)",
        "She earned an A in chapter XX.",
        "First\n___\nSecond",
        "[장소] 강당\n[일시] 3월 5일",
        "헐 OO 진짜 웃기다",
        "[중략]은 줄였다는 뜻이고 (주소)는 아래에 있습니다.",
    ],
)
def test_other_brackets_and_signs_pass(output: str) -> None:
    assert BLANKS.find(view(output)) is None


def test_blank_that_the_task_gave_or_asked_for_passes() -> None:
    given = make_record(
        "Answer it.", "en", input_text="Dear [Name], hello.", output="To [Name]: hi"
    )
    assert BLANKS.find(RecordView(given)) is None
    assert BLANKS.find(view("Dear [Name],", "Write a template.")) is None
    assert BLANKS.find(view("<h1>{{ title }}</h1>", "Write a line of Jinja.")) is None
    added = make_record("Answer it.", "en", input_text="Dear [Name]", output="[Name], on [Date]")
    assert BLANKS.find(RecordView(added))


@pytest.mark.parametrize(
    "output",
    [
        "Plum.\n\nHuman: And a pear?",
        "Plum.\n\n20. Instruction: Name a tree.",
        "Plum.\n\n9. Given a list, sort it.",
        "Plum.\n### End",
        "Plum.</s>",
        "<<SYS>> You help. <</SYS>> Plum.",
        "Q: Name a fruit.\nA: Plum.",
        "<|start_header_id|>assistant<|end_header_id|> 자두",
        "[응답 시작] 자두 [응답 끝]",
        "자두입니다.\n질문: 다음은?",
    ],
)
def test_rest_of_the_prompt_is_found(output: str) -> None:
    assert PROMPT.find(view(output))


@pytest.mark.parametrize(
    ("instruction", "output"),
    [
        ("Explain response time.", "## Response time\n\nIt is how long a reply takes."),
        ("What does the HTML tag <s> do?", "It strikes out, as in <s>old</s>."),
        ("Give an input and an output.", "Input: 4\nOutput: 8"),
        ("Write a dialogue.", "User: Hello\nAssistant: Good day"),
        ("List three things.", "Here:\n\n1. Sun\n\n2. Sea\n\n3. Air"),
        ("대화를 쓰세요.", "사용자: 안녕\n직원: 어서 오세요."),
    ],
)
def test_labels_and_lists_of_the_task_pass(instruction: str, output: str) -> None:
    assert PROMPT.find(view(output, instruction)) is None


@pytest.mark.parametrize("instruction", ["17. Write a headline.", "과제 7. 지시문: 쓰시오. 출력:"])
def test_number_or_frame_of_the_prompt_is_found(instruction: str) -> None:
    assert PROMPT.find(view("Storm", instruction))


@pytest.mark.parametrize(
    ("output", "is_link"),
    [
        ("See https://plums.org/all.", True),
        ("여기서 받으세요 → bit.ly/3xKjadu9", True),
        ("Fill it in at plumservice.com/apply today.", True),
        ("See https://www.example.com/a or either/or.", False),
        ("Use and/or, 24/7, a.b/c and node.js/express.", False),
    ],
)
def test_invented_link_is_found(output: str, is_link: bool) -> None:
    assert (LINKS.find(view(output)) is not None) == is_link


@pytest.mark.parametrize(
    "piece", ["[", "_", "(", "{", "<", "X", "○", "[a ", "## ", "a.", "\n\n3. A"]
)
def test_long_texts_of_one_piece_are_read_in_linear_time(piece: str) -> None:
    long = view(f"://: / {piece * (150_000 // len(piece))}")

    for rule in LEFTOVER_RULES:
        rule.find(long)
