"""The two ways to ask an endpoint, and what has been learnt of each."""

import logging

from pipeline.generation.teacher.answers import Answer, Failure
from pipeline.generation.teacher.bodies import AnswerFormat, Dialect, learn
from schemas.errors import PacaloomError
from schemas.exchange import Prompt

_LOG = logging.getLogger(__name__)


class ApiPath:
    """One path under the base URL. What is learnt is warned of once and kept."""

    def __init__(self, path: str) -> None:
        """Know nothing yet: everything is sent that a prompt wishes."""
        self.path = path
        self.dialect = Dialect()
        self.end: PacaloomError | None = None
        """Why no prompt is asked this way any more."""
        self._has_warned_of_text = False

    def learn(self, spoken: Dialect, prompt: Prompt, refusal: Failure) -> bool:
        """Give up what the endpoint refuses; tell whether there is anything to give up."""
        lesson = learn(spoken, prompt, refusal)
        if lesson is None:
            return False
        joined = self.dialect.join(lesson.dialect)
        if joined != self.dialect:  # else another prompt has learnt it before
            self.dialect = joined
            _LOG.warning("teacher: %s; leaving out %s", refusal.words, lesson.given_up)
        return True

    def check_format(self, spoken: Dialect, prompt: Prompt, answer: Answer) -> None:
        """Warn, once, of an endpoint that takes ``response_format`` and ignores it."""
        if (
            not self._has_warned_of_text
            and prompt.response_schema is not None
            and spoken.answer_format is not AnswerFormat.TEXT
            and answer.finish_reason == "stop"
            and not answer.text.lstrip().startswith(("{", "["))
        ):
            self._has_warned_of_text = True
            _LOG.warning(
                "teacher: an answer is not JSON although JSON was asked for; the endpoint may "
                "ignore response_format. What can be read is read from the text."
            )
