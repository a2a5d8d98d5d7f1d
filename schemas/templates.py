"""The one place that turns a record into the text a student is trained on and asked with.

English uses Stanford Alpaca's two templates (with and without input), Korean the question and
answer form of KoAlpaca v1.1; a student's own chat template is the other kind. Training, evaluation,
exports and serving render through here, and every manifest carries the template's hash, so that a
mismatch between training and inference shows.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.chat_template import ChatTemplate
from schemas.identity import short_id
from schemas.instruction_chat import write_chat_template
from schemas.records import Language
from schemas.rendering import Piece, Rendered, Shot

_ALPACA_WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
_ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately "
    "completes the request.\n\n### Instruction:\n{instruction}\n\n### Response:"
)
_KOALPACA_WITH_INPUT = "### 질문: {instruction}\n\n### 맥락: {input}\n\n### 답변:"
_KOALPACA = "### 질문: {instruction}\n\n### 답변:"

_PROMPTS: dict[tuple[Language, bool], str] = {
    ("en", True): _ALPACA_WITH_INPUT,
    ("en", False): _ALPACA,
    ("ko", True): _KOALPACA_WITH_INPUT,
    ("ko", False): _KOALPACA,
}

# What stands between prompt and answer belongs to the completion: tokenizers merge a leading
# space or newline with what follows, so a prompt that ended in one would be cut elsewhere when it
# is tokenized alone than when it is tokenized with its answer.
_SEPARATOR: dict[Language, str] = {"en": "\n", "ko": " "}
_BETWEEN_RECORDS = "\n\n"


class InstructionTemplate(NamedTuple):
    """Alpaca's form for English, KoAlpaca's for Korean: plain text that any base model reads."""

    stop: str = ""
    """Text of the student's stop token, which ends an answer."""
    start: str = ""
    """Text of the token that the student's tokenizer puts before a text."""
    opening: str = ""
    """Worked examples, from :meth:`after`."""

    @property
    def name(self) -> Literal["instruction"]:
        """As recipes call it."""
        return "instruction"

    @property
    def hash(self) -> str:
        """16 hex digits that change when any of the text does."""
        return short_id(sorted((*key, text) for key, text in _PROMPTS.items()), _SEPARATOR)

    def render(
        self, instruction: str, input_text: str, output: str, language: Language
    ) -> Rendered:
        """Render prompt and completion of one record."""
        prompt = self.render_prompt(instruction, input_text, language)
        return Rendered(prompt, self.render_completion(output, language))

    def render_prompt(self, instruction: str, input_text: str, language: Language) -> str:
        """Render the text that stands before the answer; it never ends in white space."""
        # Two replacements in one pass: a record's own text may contain "{input}".
        template = _PROMPTS[language, bool(input_text)]
        head, _, rest = template.partition("{instruction}")
        middle, marker, tail = rest.partition("{input}")
        return self.opening + head + instruction + middle + (input_text + tail if marker else "")

    def render_completion(self, output: str, language: Language) -> str:
        """Render the answer with the separator that joins it to the prompt."""
        return _SEPARATOR[language] + output

    def after(self, shots: Sequence[Shot], language: Language) -> "InstructionTemplate":
        """Return the template that has worked examples, whole records, before what is asked."""
        records = ("".join(self.render(*shot, language)) + _BETWEEN_RECORDS for shot in shots)
        return self._replace(opening="".join(records))

    def lay_out_prompt(self, prompt: str) -> list[Piece]:
        """Return the prompt as it is: none of it is meant as a control token."""
        return [Piece(prompt, is_frame=False)]

    def lay_out_completion(self, completion: str) -> list[Piece]:
        """Do the same with a completion."""
        return [Piece(completion, is_frame=False)]


Template = InstructionTemplate | ChatTemplate
"""Turns records into text. ``render`` leaves out the tokens ``start`` and ``stop`` at both ends;
what belongs to the template in a rendered text, and what to the record, tells ``lay_out_…``."""

INSTRUCTION = InstructionTemplate()
"""For text without a student, as exports are."""


def instruction_chat_template(template: InstructionTemplate) -> str:
    """Write the instruction form as a chat template in Jinja, for tokenizer and GGUF file.

    Asked through it, a student sees what :meth:`InstructionTemplate.render_prompt` gives for an
    instruction without input.
    """
    prompts: dict[Language, str] = {"en": _ALPACA, "ko": _KOALPACA}
    return write_chat_template(prompts, _SEPARATOR, template.start, template.stop)
