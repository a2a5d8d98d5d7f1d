"""Evol-Instruct's elimination rules, each on English and Korean text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.strategies.evolve.elimination import (
    gains_nothing,
    is_apology,
    quotes_prompt,
    says_nothing,
)
from pipeline.generation.strategies.evolve.examples import Task

EN = "Explain how a bicycle stays upright."
KO = "자전거가 쓰러지지 않는 까닭을 설명해 주세요."


@pytest.mark.parametrize(
    ("parent", "evolved"),
    [
        pytest.param(EN, EN, id="the same"),
        pytest.param(EN, "explain how a bicycle stays upright!", id="case and marks"),
        pytest.param(
            EN, "Please could you explain how the bicycle stays upright?", id="politeness"
        ),
        pytest.param(EN, "Describe how a bicycle stays upright.", id="another verb"),
        pytest.param(KO, KO, id="ko the same"),
        pytest.param(KO, "자전거가 쓰러지지 않는 까닭을 설명하세요.", id="ko speech level"),
        pytest.param(KO, "자전거는 쓰러지지 않는 까닭이 뭔지 설명해 줘", id="ko particles"),
    ],
)
def test_rewording_is_no_gain(parent: str, evolved: str) -> None:
    assert gains_nothing(Task(evolved), Task(parent))


@pytest.mark.parametrize(
    ("parent", "evolved"),
    [
        (EN, "Explain how a bicycle stays upright, in three sentences for a child of six."),
        (EN, "Explain how a unicycle with a flat tyre stays upright."),
        (KO, "자전거가 쓰러지지 않는 까닭을 여섯 살 아이에게 세 문장으로 설명해 주세요."),
        (KO, "외발자전거가 쓰러지지 않는 까닭을 관성이라는 말을 써서 설명해 주세요."),
        ("라면을 끓이는 방법을 알려 주세요.", "냄비 없이 라면을 끓이는 방법을 알려 주세요."),
        ("봄에 관한 시를 써 주세요.", "벚꽃이 지는 봄밤에 관한 시를 써 주세요."),
        ("프랑스의 수도는 어디인가요?", "카자흐스탄의 수도는 어디인가요?"),
    ],
)
def test_a_further_condition_is_a_gain(parent: str, evolved: str) -> None:
    assert not gains_nothing(Task(evolved), Task(parent))


def test_gain_may_stand_in_the_input() -> None:
    parent = Task("Add the numbers.", "2, 3")

    assert not gains_nothing(Task("Add the numbers.", "2, 3, 17, 40"), parent)


def test_two_new_syllables_weigh_as_much_as_one_new_word() -> None:
    # New here: 나 무 늘 보 = 4 syllables = 2 words, against 3 without 보.
    parent = Task("그림")

    assert gains_nothing(Task("그림 나무늘"), parent)
    assert not gains_nothing(Task("그림 나무늘보"), parent)


@pytest.mark.parametrize(
    "evolved",
    [
        "#Rewritten Prompt#: Explain gears.",
        "Explain gears, based on the given prompt.",
        "Here is the created task: explain gears.",
        "Method: add a condition. Explain gears.",
        "주어진 지시를 바탕으로 기어를 설명하세요.",
        "다시 쓴 지시: 기어를 설명하세요.",
        "방법: 조건을 더합니다. 기어를 설명하세요.",
    ],
)
def test_words_of_the_evolving_prompt_are_found(evolved: str) -> None:
    assert quotes_prompt(Task(evolved), Task(EN))


@pytest.mark.parametrize(
    ("parent", "evolved"),
    [
        ("Write a story from the given prompt.", "Write a sad story from the given prompt."),
        ("주어진 과제를 나누세요.", "주어진 과제를 세 단계로 나누세요."),
        ("Sort the tasks.", "Sort the given tasks by effort, with a method: fastest first."),
        ("요리법을 적으세요.", "요리법을 적으세요. 재료: 무. 만드는 방법: 세 줄로."),
        ("Name due dates.", "Given the list below, name a due date for each given task."),
        ("Explain sorting.", "Method: quicksort. Explain how it sorts."),
        ("일정을 짜 주세요.", "주어진 과제를 세 단계로 나누어 일정을 짜 주세요."),
        ("틀린 것을 고르세요.", "주어진 지시문 가운데 높임말이 틀린 것을 고르세요."),
        ("나무를 심는 법은?", "방법: 꺾꽂이. 이대로 나무를 심는 법은?"),
    ],
)
def test_words_that_the_parent_has_or_that_mean_something_else_stay(
    parent: str, evolved: str
) -> None:
    assert not quotes_prompt(Task(evolved), Task(parent))


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but the timetable is missing.",
        "I apologize, there is no text.",
        "죄송합니다. 시간표가 없습니다.",
        "미안하지만 글을 보내 주셔야 합니다.",
        "Sorry, I can’t do that.",
        "죄송하지만 답하기 어려울 것 같습니다.",
    ],
)
def test_short_apology_is_found(answer: str) -> None:
    assert is_apology(answer, Task("Read the timetable. 시간표를 읽으세요."))


def test_apology_of_eighty_words_is_an_answer() -> None:
    # The paper's limit; in Korean three syllables are a word, so 240 of them.
    assert is_apology("I cannot, " + "sorry " * 77, Task("Explain it."))
    assert not is_apology("I cannot, " + "sorry " * 78, Task("Explain it."))
    assert is_apology("죄송해서 어렵" + "가" * 233, Task("설명하세요."))
    assert not is_apology("죄송해서 어렵" + "가" * 234, Task("설명하세요."))


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("Write an apology for being late.", "I am sorry that I was late."),
        ("Answer this complaint about cold soup.", "We are sorry about the soup."),
        ("늦은 데 대한 사과 문자를 써 주세요.", "늦어서 죄송합니다."),
        ("Announce it.", "The pool is closed and cannot be used. We apologize for the trouble."),
        ("Comfort a friend.", "I'm so sorry about Max. He was lucky to have you."),
        ("Write an email that puts Friday off.", "I am sorry, but I cannot come on Friday."),
        ("점검을 알려 주세요.", "점검 중에는 쓸 수 없습니다. 불편을 드려 죄송합니다."),
        ("늦는다고 전해 주세요.", "미안, 지하철이 멈춰서 15분쯤 늦을 것 같아."),
        ("공손하게 고쳐 주세요. '못 가요.'", "죄송하지만 참석하기 어려울 것 같습니다."),
        ("Explain it.", "It sorts the list."),
    ],
)
def test_apology_that_was_asked_for_is_an_answer(task: str, answer: str) -> None:
    assert not is_apology(answer, Task(task))


@pytest.mark.parametrize(
    "answer", ["", "...", "It is.", "and the", "|---|", "그리고 그것은", "…!?"]
)
def test_marks_and_stop_words_say_nothing(answer: str) -> None:
    assert says_nothing(answer, "explanation")


@pytest.mark.parametrize(
    "answer", ["42", "Oslo", "서울", "No", "x = 1", "漢字", "≥", "😀👍", "네.", "예"]
)
def test_one_word_may_say_enough(answer: str) -> None:
    assert not says_nothing(answer, "explanation")


def test_a_stop_word_may_be_the_pick_of_a_question_of_language() -> None:
    assert not says_nothing("with", "language")
    assert not says_nothing("과", "classification")


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text(), st.text())
def test_no_text_raises_and_nothing_gains_over_itself(first: str, second: str, third: str) -> None:
    task = Task(first, second)

    assert gains_nothing(task, task)
    assert not quotes_prompt(task, task)
    says_nothing(third, "unspecified")
    is_apology(third, task)
