from collections.abc import Sequence

from schemas.progress import Progress, no_progress
from schemas.templates import INSTRUCTION, Template
from training.evaluation.answerers import Answerer, Written
from training.evaluation.canaries import CANARIES, ask_canaries


class Parrot:
    """Gives every question the same answer."""

    def __init__(self, text: str, *, ended: bool = True) -> None:
        self._written = Written(text, ended)
        self.fingerprint = text
        self.prompts: list[str] = []

    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[Sequence[str]],
        template: Template,
        progress: Progress = no_progress,
    ) -> list[list[float]]:
        raise AssertionError

    def write(
        self,
        prompts: Sequence[str],
        limit_tokens: int,
        template: Template,
        progress: Progress = no_progress,
    ) -> list[Written]:
        self.prompts = list(prompts)
        return [self._written] * len(prompts)


def test_all_models_are_asked_all_questions_in_the_template() -> None:
    first, second = Parrot("An apple, a pear and a plum."), Parrot("사과입니다.", ended=False)
    answerers: dict[str, Answerer] = {"base": first, "tuned": second}

    answers = ask_canaries(answerers, INSTRUCTION)

    assert [(one.model, one.language) for one in answers] == [
        (name, language) for name in answerers for language, _ in CANARIES
    ]
    assert first.prompts == second.prompts
    assert first.prompts[0] == INSTRUCTION.render_prompt(CANARIES[0][1], "", "en")
    assert {one.ended for one in answers if one.model == "tuned"} == {False}


def test_answer_is_described_in_the_language_of_its_question() -> None:
    answers = ask_canaries({"m": Parrot("Apples are red and good for you.")}, INSTRUCTION)

    assert {one.language for one in answers if one.in_language} == {"en"}
    assert not any(one.repetitive for one in answers)


def test_answer_that_goes_round_or_says_nothing_is_seen() -> None:
    circle = ask_canaries({"m": Parrot("사과와 배와 사과와 배와 " * 30)}, INSTRUCTION)
    silent = ask_canaries({"m": Parrot("")}, INSTRUCTION)

    assert all(one.repetitive for one in circle)
    assert not any(one.in_language or one.repetitive for one in silent)


def test_questions_are_a_dozen_half_of_them_korean() -> None:
    assert len(set(CANARIES)) == 12
    assert sum(language == "ko" for language, _ in CANARIES) == 6
