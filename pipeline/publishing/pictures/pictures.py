"""Draw the pictures of a version's card; those whose figures are missing are left out.

Same figures and fonts, same bytes. Cost: some tenths of a second a picture, whatever the number
of records.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.publishing.card.speaker import Speaker
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.fonts import (
    Typeface,
    bundled_typeface,
    find_hangul_typeface,
    list_system_fonts,
)
from pipeline.publishing.pictures.picture import Gallery, Picture
from schemas.records import Language
from schemas.storage import atomic_path

if TYPE_CHECKING:
    from pipeline.publishing.pictures.style import Style

FOLDER = "figures"


def draw_pictures(
    folder: Path, edition: Edition, font_files: Sequence[str] | None = None
) -> Gallery:
    """Draw what the figures of a version give into ``folder/figures``.

    Args:
        folder: The version's.
        edition: What is drawn.
        font_files: Where a font with Hangul is looked for; None: the system's fonts.

    Raises:
        StorageError: A picture cannot be written.
    """
    # It tells of fonts and cache folders on import, which is no business of who publishes.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    # matplotlib takes half a second to import.
    from pipeline.publishing.pictures.album import draw_all

    files = list_system_fonts() if font_files is None else font_files
    hangul = find_hangul_typeface(files) if _needs_hangul(edition) else None
    pictures: list[Picture] = []
    for subject, drawing in draw_all(edition, _choose_style(edition, hangul)):
        path = f"{FOLDER}/{subject}.png"
        with atomic_path(folder / path) as temporary:
            drawing.canvas.save(temporary)
        pictures.append(Picture(subject, path, drawing.title, drawing.alt))
    missing = _needs_hangul(edition) and hangul is None
    notices = (_tell_of_missing_font(edition.manifest.card_language),) if missing else ()
    return Gallery(tuple(pictures), notices)


def _choose_style(edition: Edition, hangul: Typeface | None) -> "Style":
    from pipeline.publishing.pictures.style import Style

    if edition.manifest.card_language == "ko" and hangul is not None:
        return Style(Speaker("ko"), hangul, hangul)
    return Style(Speaker("en"), bundled_typeface(), hangul)


def _needs_hangul(edition: Edition) -> bool:
    korean = edition.statistics.languages.get("ko")
    has_words = korean is not None and korean.diversity is not None
    return has_words or edition.manifest.card_language == "ko"


def _tell_of_missing_font(language: Language) -> str:
    return Speaker(language).say(
        "No font with Hangul was found on the machine that published this version, so the picture "
        "of Korean words is missing. Install fonts-nanum or fonts-noto-cjk and publish again.",
        "이 버전을 발행한 컴퓨터에 한글 글꼴이 없어 한국어 낱말 그림을 그리지 못했고, 다른 "
        "그림의 글은 영어로 적었습니다. fonts-nanum이나 fonts-noto-cjk를 설치하고 다시 "
        "발행하세요.",
    )
