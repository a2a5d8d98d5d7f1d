"""Fixed questions that a working student never fails to answer in some way.

Whether an answer is right does not matter here. A student that was ruined in training says nothing,
goes round in circles, does not end or falls into another language on the simplest of questions, and
a matrix of label probabilities would not show it. Cost: a dozen short answers a model.
"""

from collections.abc import Mapping

from schemas.evaluation import CanaryAnswer
from schemas.progress import Progress, no_progress
from schemas.records import Language
from schemas.templates import Template
from training.evaluation.answerers import Answerer, Written
from training.evaluation.answers.quality import is_in_language, is_repetitive

CANARIES: tuple[tuple[Language, str], ...] = (
    ("en", "What color is the sky on a clear day?"),
    ("en", "Name three fruits."),
    ("en", "Write one sentence about a dog."),
    ("en", "What do people use an umbrella for?"),
    ("en", "Give one tip for staying healthy."),
    ("en", "Greet a friend in the morning."),
    ("ko", "맑은 날 하늘은 무슨 색인가요?"),
    ("ko", "과일 세 가지를 말해 주세요."),
    ("ko", "강아지에 대해 한 문장을 써 주세요."),
    ("ko", "우산은 언제 쓰나요?"),
    ("ko", "건강을 지키는 방법을 한 가지 알려 주세요."),
    ("ko", "친구에게 아침 인사를 해 주세요."),
)

_LIMIT_TOKENS = 128
"""Room for two Korean sentences where each syllable takes three tokens."""


def ask_canaries(
    answerers: Mapping[str, Answerer], template: Template, progress: Progress = no_progress
) -> list[CanaryAnswer]:
    """Ask every model all questions.

    Args:
        answerers: By name, in the order of the answers.
        template: The form in which all of them are asked.
        progress: Told how many answers of all models are written.
    """
    prompts = [template.render_prompt(question, "", language) for language, question in CANARIES]
    answers: list[CanaryAnswer] = []
    for name, answerer in answerers.items():
        written = answerer.write(prompts, _LIMIT_TOKENS, template)
        answers += [
            _describe(name, language, question, one)
            for (language, question), one in zip(CANARIES, written, strict=True)
        ]
        progress(len(answers), len(answerers) * len(CANARIES), f"{name}: canary questions")
    return answers


def _describe(model: str, language: Language, question: str, written: Written) -> CanaryAnswer:
    return CanaryAnswer(
        model=model,
        language=language,
        instruction=question,
        answer=written.text,
        ended=written.ended,
        repetitive=is_repetitive(written.text),
        in_language=is_in_language(written.text, language),
    )
