"""The chat template that goes with an exported student: the one it was trained with."""

from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.manifest import TemplateName, TrainingManifest
from schemas.templates import InstructionTemplate, instruction_chat_template
from training.templating import check_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Asking(NamedTuple):
    """How a student is asked, and ends an answer."""

    template: TemplateName | None
    """None for a base, which has its own."""
    hash: str
    stop: str
    """Text of the token that ends an answer."""
    chat_template: str | None
    """Jinja; None for a base without one."""


def find_asking(manifest: TrainingManifest | None, tokenizer: "PreTrainedTokenizerBase") -> Asking:
    """Find the template of a student, and see that it is still the one it was trained with.

    Raises:
        TemplateError: It is not; names both hashes.
    """
    own = cast("str | None", tokenizer.chat_template)
    if manifest is None:
        return Asking(None, "", cast("str", tokenizer.eos_token), own)
    template = check_template(manifest, tokenizer)
    if isinstance(template, InstructionTemplate):
        own = instruction_chat_template(template)
    return Asking(manifest.template, template.hash, template.stop, own)
