"""Write the model card of a tuned student: what it is, what made it, what it says, where it ends.

The front matter is the Hugging Face Hub's model card metadata, written by its own library. Text by
a student, a teacher or a user stands only in code spans, fences and escaped cells, so that it
cannot become markup. The card speaks the language of the dataset's card.
"""

from training.finetuning.card.front_matter import render_front_matter
from training.finetuning.card.limits import write_evaluation, write_limits
from training.finetuning.card.making import write_contract, write_making, write_recipe
from training.finetuning.card.outcome import write_answers, write_cost, write_curves
from training.finetuning.card.overview import write_overview
from training.finetuning.card.page import Page
from training.finetuning.card.use import write_use

_SECTIONS = (
    write_overview,
    write_use,
    write_answers,
    write_curves,
    write_making,
    write_contract,
    write_recipe,
    write_cost,
    write_evaluation,
    write_limits,
)
"""In the order in which people ask."""


def render_model_card(page: Page) -> str:
    """Render README.md, front matter first."""
    sections = [section(page) for section in _SECTIONS]
    return "\n\n".join([render_front_matter(page), *filter(None, sections)]) + "\n"
