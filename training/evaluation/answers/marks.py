"""Give a written answer its marks, and describe how a cell's answers look."""

from collections.abc import Sequence
from statistics import fmean
from unicodedata import normalize

from schemas.evaluation import Metric, TextQuality
from schemas.records import Language
from training.evaluation.answers.chrf import chrf
from training.evaluation.answers.constraints import is_met
from training.evaluation.answers.exact_match import is_exact_match
from training.evaluation.answers.quality import is_in_language, is_repetitive
from training.evaluation.answers.rouge_l import rouge_l
from training.evaluation.tasks.items import TaskItem


def mark_text(item: TaskItem, metric: Metric, answer: str, language: Language) -> int:
    """Return the marks of one answer, 0 to 100.

    With several references the closest counts. Exact match and constraints give all or nothing;
    an item is met when all of its constraints are, as in IFEval's accuracy by prompt.

    Raises:
        ValueError: ``metric`` is ``accuracy``, which is about given answers.
    """
    match metric:
        case "exact_match":
            return 100 * is_exact_match(answer, item.references, language, item.text)
        case "constraints":
            own = _drop_echo(answer, item.text)
            return 100 * all(is_met(constraint, own) for constraint in item.constraints)
        case "rouge_l":
            return round(100 * rouge_l(answer, item.references, language))
        case "chrf":
            return round(100 * chrf(answer, item.references))
        case "accuracy":
            raise ValueError(
                f"Item {item.id!r}: accuracy is about given answers, not written ones."
            )


def _drop_echo(answer: str, task: str) -> str:
    """Return the answer without the instruction that it may begin with.

    Base models tend to repeat it, and one that names its own keyword in one sentence meets itself.
    """
    return normalize("NFC", answer).strip().removeprefix(task)


def describe_quality(
    items: Sequence[TaskItem], texts: Sequence[str], ended: Sequence[bool], language: Language
) -> TextQuality:
    """Describe the answers to a cell's items, one a place; there is at least one.

    ROUGE-L and chrF are means over those items that have references.
    """
    referred = [
        (text, item.references) for item, text in zip(items, texts, strict=True) if item.references
    ]
    return TextQuality(
        ended=fmean(ended),
        repetitive=fmean(is_repetitive(text) for text in texts),
        in_language=fmean(is_in_language(text, language) for text in texts),
        rouge_l=fmean(rouge_l(text, wanted, language) for text, wanted in referred)
        if referred
        else None,
        chrf=fmean(chrf(text, wanted) for text, wanted in referred) if referred else None,
    )
