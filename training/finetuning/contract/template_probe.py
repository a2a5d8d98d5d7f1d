"""Hold a template against the student's tokenizer before any row is written with it.

What a chat template does to a conversation is the oracle: the stop token is what it writes after
an answer, the prompt what it writes before one. Cost: a few renderings.
"""

from typing import TYPE_CHECKING, cast

from schemas.records import LANGUAGES
from training.finetuning.contract.faults import ContractError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from schemas.templates import Template

_QUESTION, _ANSWER = "Name a fruit. 과일 하나.", "A pear. 배."


def check_template(template: "Template", tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the stop token of a template that fits the student.

    Raises:
        ContractError: The template's stop token is none, or not the one that its own chat template
            writes after an answer; or its prompt is not what inference writes.
    """
    stop = _find_stop(template, tokenizer)
    if template.name == "chat":
        _check_chat(template, tokenizer)
    return stop


def _find_stop(template: "Template", tokenizer: "PreTrainedTokenizerBase") -> int:
    if not template.stop:
        raise ContractError(
            f"Template {template.name!r} has no stop token for the tokenizer in "
            f"{tokenizer.name_or_path}, so the student could not learn to end an answer. Set "
            "eos_token in its tokenizer_config.json."
        )
    # The tokenizer's own declaration allows a list for a list only.
    stop = cast("int | None", tokenizer.convert_tokens_to_ids(template.stop))
    if stop is None or tokenizer.convert_ids_to_tokens(stop) != template.stop:
        raise ContractError(
            f"Template {template.name!r} ends an answer with {template.stop!r}, which is no token "
            f"of the tokenizer in {tokenizer.name_or_path}. Choose another template or student."
        )
    return stop


def _check_chat(template: "Template", tokenizer: "PreTrainedTokenizerBase") -> None:
    question = {"role": "user", "content": _QUESTION}
    talk = cast(
        "str",
        tokenizer.apply_chat_template(
            [question, {"role": "assistant", "content": _ANSWER}], tokenize=False
        ),
    )
    after = talk.rpartition(_ANSWER)[2].lstrip()
    if not after.startswith(template.stop):
        raise ContractError(
            f"The chat template of the tokenizer in {tokenizer.name_or_path} ends an answer with "
            f"{after[:20]!r}, but {template.stop!r} would be trained: the student would not learn "
            "to end its turn. Set eos_token in tokenizer_config.json to what ends a turn."
        )
    asked = cast(
        "str",
        tokenizer.apply_chat_template([question], tokenize=False, add_generation_prompt=True),
    )
    start = str(tokenizer.bos_token or "")
    for language in LANGUAGES:
        rendered = template.render_prompt(_QUESTION, "", language)
        if rendered.removeprefix(start) != asked.removeprefix(start):
            raise ContractError(
                f"Training would ask with {rendered[-40:]!r}, the chat template of the tokenizer "
                f"in {tokenizer.name_or_path} asks with {asked[-40:]!r}. The template changed: "
                "load the student again, or choose --template instruction."
            )
