"""Find the template of a recipe for a student, and refuse one other than it was trained with.

``schemas/templates.py`` knows the texts; here they meet a tokenizer, which brings its chat template
and the spelling of its control tokens. Cost: some ten renderings, a few milliseconds.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from schemas.chat_template import Message, read_chat_template
from schemas.manifest import TemplateName, TrainingManifest
from schemas.rendering import TemplateError
from schemas.templates import InstructionTemplate, Template, instruction_chat_template
from training.tokens import control_tokens, find_start

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_FROZEN_DATE = "{%- macro strftime_now(format) -%}DATE{%- endmacro %}"
"""Jinja that hides the function with which templates learn what day it is."""


def find_template(name: TemplateName, tokenizer: "PreTrainedTokenizerBase") -> Template:
    """Return a recipe's template for a student.

    Raises:
        TemplateError: The student has no chat template, or one that cannot be trained with.
    """
    begin = find_start(tokenizer)
    start = "" if begin is None else str(tokenizer.convert_ids_to_tokens(begin))
    plain = InstructionTemplate(stop=str(tokenizer.eos_token or ""), start=start)
    if name == "instruction":
        return plain
    origin = tokenizer.name_or_path or "the student"
    if not tokenizer.chat_template:
        raise TemplateError(
            f"Template 'chat' was asked for, but the tokenizer of {origin} has no chat template: "
            "it is a base model (Gemma 3 270M is one). Choose template 'instruction', or a student "
            "that was tuned to chat."
        )
    source = tokenizer.get_chat_template()
    if source == instruction_chat_template(plain):
        raise TemplateError(
            f"Template 'chat' was asked for, but the chat template of {origin} is the instruction "
            "form that it was tuned with. Choose template 'instruction'."
        )
    _refuse_date(source, tokenizer, origin)
    return read_chat_template(
        _Applied(tokenizer, source),
        controls=control_tokens(tokenizer),
        start=start,
        origin=origin,
    )


def check_template(manifest: TrainingManifest, tokenizer: "PreTrainedTokenizerBase") -> Template:
    """Return the template that a tuned student has to be asked with.

    Raises:
        TemplateError: It was trained with another one: names both hashes.
    """
    found = find_template(manifest.template, tokenizer)
    check_hash(manifest, found.hash)
    return found


def check_hash(manifest: TrainingManifest, found: str) -> None:
    """Refuse a template's hash that is not the one in a tuned student's manifest.

    Raises:
        TemplateError: Names both.
    """
    if found != manifest.template_hash:
        raise TemplateError(
            f"{manifest.name}/{manifest.version} was trained with template {manifest.template!r} "
            f"{manifest.template_hash}, but would be asked with {found}: "
            + _REMEDIES[manifest.template]
        )


_REMEDIES: dict[TemplateName, str] = {
    "instruction": "schemas/templates.py has changed since. Check out the code that the manifest "
    "names, or finetune again.",
    "chat": "the chat template in its folder has changed since. Bring back the tokenizer that was "
    "published with it, or finetune again.",
}


class _Applied:
    """A tokenizer's chat template, as a function of messages."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", source: str) -> None:
        self._tokenizer = tokenizer
        self._source = source

    def __call__(self, messages: Sequence[Message], asks: bool) -> str:
        from jinja2 import TemplateError as JinjaError

        talk = [message._asdict() for message in messages]
        try:
            text = self._tokenizer.apply_chat_template(
                talk, chat_template=self._source, tokenize=False, add_generation_prompt=asks
            )
        except (JinjaError, TypeError, ValueError, KeyError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise TemplateError(
                f"The chat template of {self._tokenizer.name_or_path or 'the student'} cannot "
                f"write a question and an answer: {reason}. Mend chat_template in its "
                "tokenizer_config.json, or choose template 'instruction'."
            ) from error
        return cast("str", text)


def _refuse_date(source: str, tokenizer: "PreTrainedTokenizerBase", origin: str) -> None:
    """Refuse a template that writes today's date: tomorrow the prompt would be another one."""
    if "strftime_now" not in source:
        return
    talk = [Message("user", "x"), Message("assistant", "x")]
    texts = [
        _Applied(tokenizer, _FROZEN_DATE.replace("DATE", date) + source)(talk, asks=False)
        for date in ("1 Jan 2001", "2 Feb 2002")
    ]
    if texts[0] != texts[1]:
        raise TemplateError(
            f"The chat template of {origin} writes today's date into every prompt: the student "
            "would be asked tomorrow otherwise than it was trained today. Put "
            f"{_FROZEN_DATE.replace('DATE', '26 Jul 2024')} before the template in its folder, or "
            "choose template 'instruction'."
        )
