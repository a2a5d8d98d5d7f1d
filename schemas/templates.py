"""The one place that turns a record into the text a student is trained on and asked with.

English uses Stanford Alpaca's two templates (with and without input), Korean the question and
answer form of KoAlpaca v1.1. Training, evaluation and exports render through here, and every
manifest carries :func:`template_hash`, so a mismatch between training and inference shows.
"""

from typing import NamedTuple

from schemas.identity import short_id
from schemas.records import Language

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


class Rendered(NamedTuple):
    """A record as training text, without the stop token that the tokenizer adds."""

    prompt: str
    completion: str


def render_prompt(instruction: str, input_text: str, language: Language) -> str:
    """Render the text that stands before the answer; it never ends in white space."""
    # Two replacements in one pass: a record's own text may contain "{input}".
    template = _PROMPTS[language, bool(input_text)]
    head, _, rest = template.partition("{instruction}")
    middle, marker, tail = rest.partition("{input}")
    return head + instruction + middle + (input_text + tail if marker else "")


def render_completion(output: str, language: Language) -> str:
    """Render the answer with the separator that joins it to the prompt."""
    return _SEPARATOR[language] + output


def render(instruction: str, input_text: str, output: str, language: Language) -> Rendered:
    """Render prompt and completion of one record."""
    return Rendered(
        render_prompt(instruction, input_text, language), render_completion(output, language)
    )


def template_hash() -> str:
    """Identify the templates: 16 hex digits that change when any of their text does."""
    return short_id(sorted((*key, text) for key, text in _PROMPTS.items()), _SEPARATOR)
