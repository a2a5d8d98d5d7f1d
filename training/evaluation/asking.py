"""Decide in which template all models of one comparison are asked: the same for every one.

A student that was trained with its chat template is compared in that form when every model has the
very same template; otherwise all are asked in the instruction form, and a note says why. Whether a
tuned student is asked as it was trained is checked first.

Cost: loading the tokenizers when a chat template is in question, about a second each.
"""

from pathlib import Path
from typing import NamedTuple

from schemas.manifest import TrainingManifest
from schemas.rendering import TemplateError
from schemas.storage import read_manifest
from schemas.templates import INSTRUCTION, Template
from training.base_model import load_tokenizer
from training.templating import check_hash, check_template, find_template


class Asking(NamedTuple):
    """How models are asked."""

    template: Template
    note: str = ""
    """One line for the user when a student is not asked as it was trained."""


def choose_template(models: dict[str, Path], subject: str) -> Asking:
    """Choose the template of a comparison.

    Args:
        models: Name -> checkpoint or folder of a tuned student.
        subject: The name of the one that the comparison is about; its training decides.

    Raises:
        TemplateError: A tuned student would be asked with a template that changed since.
    """
    manifests = {name: _read_manifest(path) for name, path in models.items()}
    for name, manifest in manifests.items():
        if manifest is not None and manifest.template == "chat":
            check_template(manifest, load_tokenizer(models[name]))
        elif manifest is not None:
            check_hash(manifest, INSTRUCTION.hash)
    chatting = [name for name, one in manifests.items() if one and one.template == "chat"]
    if subject not in chatting:
        return Asking(
            INSTRUCTION,
            f"{chatting[0]} was trained with its chat template, {subject} was not: {_PLAIN}"
            if chatting
            else "",
        )
    return _share_chat(models, subject)


_PLAIN = "all models are asked in the instruction form."


def _share_chat(models: dict[str, Path], subject: str) -> Asking:
    """Take the subject's chat template when all others have the same."""
    template = find_template("chat", load_tokenizer(models[subject]))
    for name, path in models.items():
        try:
            other = find_template("chat", load_tokenizer(path))
        except TemplateError as error:
            return Asking(INSTRUCTION, f"{subject} chats, {name} cannot, so {_PLAIN} {error}")
        if other.hash != template.hash:
            return Asking(
                INSTRUCTION,
                f"The chat templates of {subject} ({template.hash}) and {name} ({other.hash}) "
                f"differ, so {_PLAIN}",
            )
    return Asking(template)


def _read_manifest(path: Path) -> TrainingManifest | None:
    if not (path / "manifest.json").is_file():
        return None
    return read_manifest(path, TrainingManifest, "a tuned student")
