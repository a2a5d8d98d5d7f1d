"""The metadata that the Hugging Face Hub reads from a model card, and what is known of the base."""

import re

from embedded.models import EMBEDDED_MODELS
from schemas.records import LANGUAGES
from training.finetuning.card.page import Base, Page
from training.finetuning.student import Student

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_ANY_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}")


def find_base(student: Student) -> Base:
    """Tell what is known of a base: embedded ones by our list, others by name and by their card."""
    for model in EMBEDDED_MODELS:
        if model.name == student.name:
            return Base(model.name, model.publisher or None, model.licence.lower())
    licence = _read_licence(student)
    folder = student.path.name
    if student.name.rstrip("/").endswith(folder) or not _HUB_ID.fullmatch(student.name):
        # A folder of this machine tells others nothing but its own name.
        return Base(folder, None, licence)
    return Base(student.name, student.name, licence)


def render_front_matter(page: Page) -> str:
    """Write it with the hub's own library, in YAML between two rules."""
    from huggingface_hub import ModelCardData

    manifest = page.manifest
    kept = page.dataset.kept_by_language
    languages = [language for language in LANGUAGES if kept.get(language)]
    data = ModelCardData(
        language=list(languages) or None,
        license=page.base.licence,
        base_model=page.base.hub_id,
        base_model_relation="finetune" if manifest.method == "full" else "adapter",
        datasets=[page.dataset.name],
        library_name="transformers" if manifest.method == "full" else "peft",
        pipeline_tag="text-generation",
        model_name=page.reference,
        tags=["pacaloom", "instruction-tuning", manifest.method.replace("_", "-")],
    )
    return f"---\n{data.to_yaml().strip()}\n---"


def _read_licence(student: Student) -> str | None:
    """Read it from the base's own card, where one lies beside the weights."""
    import yaml

    card = student.path / "README.md"
    if not card.is_file():
        return None
    parts = card.read_text(encoding="utf-8", errors="replace").split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():
        return None
    try:
        facts: object = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return None
    licence = facts.get("license") if isinstance(facts, dict) else None
    return licence if isinstance(licence, str) and _ANY_LICENCE.fullmatch(licence) else None
