"""Write the card of a dataset version: what is in it, what was thrown away, what it cannot do.

The front matter is the Hugging Face Hub's dataset card metadata, written by its own library, and
tells ``datasets.load_dataset`` which files are which split. Text by a teacher or a user stands only
in code spans, fences and escaped descriptions, so that it cannot become markup.
"""

from collections.abc import Sequence

from pipeline.publishing.card.contents import write_contents, write_examples
from pipeline.publishing.card.front_matter import render_front_matter
from pipeline.publishing.card.history import write_difference, write_splits
from pipeline.publishing.card.limits import write_limits
from pipeline.publishing.card.making import write_cost, write_making, write_parents
from pipeline.publishing.card.overview import write_overview
from pipeline.publishing.card.page import Page
from pipeline.publishing.card.quality import write_contamination, write_judge, write_review
from pipeline.publishing.card.rejections import write_funnel, write_reasons
from pipeline.publishing.card.speaker import Speaker
from pipeline.publishing.card.use import write_files, write_use
from pipeline.publishing.card.variety import write_diversity, write_similarity
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.picture import Picture
from schemas.markdown import plain

_SECTIONS = (
    write_overview,
    write_difference,
    write_funnel,
    write_reasons,
    write_contents,
    write_diversity,
    write_similarity,
    write_judge,
    write_review,
    write_contamination,
    write_splits,
    write_parents,
    write_cost,
    write_limits,
    write_making,
    write_use,
    write_files,
    write_examples,
)
"""In the order in which people ask."""


def render_card(
    edition: Edition, pictures: Sequence[Picture] = (), notices: Sequence[str] = ()
) -> str:
    """Render the whole card in the language that the manifest names, front matter first.

    Args:
        edition: What the card is about.
        pictures: Those that lie beside it.
        notices: What readers should know of how it was published, one line each.
    """
    page = Page(
        edition,
        edition.kept,
        Speaker(edition.manifest.card_language),
        {picture.subject: picture for picture in pictures},
    )
    overview, *others = (write(page) for write in _SECTIONS)
    told = [f"> {plain(notice)}" for notice in notices]
    sections = [render_front_matter(edition.manifest), overview, *told, *others]
    return "\n\n".join(section for section in sections if section) + "\n"
