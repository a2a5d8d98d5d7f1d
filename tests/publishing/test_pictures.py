"""Pictures say what the figures say, in letters that the fonts have, and in the same bytes."""

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.typing import RcKeyType

from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.fonts import (
    bundled_typeface,
    find_hangul_typeface,
    list_system_fonts,
)
from pipeline.publishing.pictures.pictures import draw_pictures
from pipeline.publishing.pictures.spread import spread
from pipeline.publishing.pictures.sunburst import choose_verbs
from pipeline.publishing.statistics.figures import Diversity, Phrase
from schemas.manifest import RoundYield
from schemas.records import Language
from tests.publishing.card_editions import (
    Texts,
    make_edition,
    make_phrases,
    make_record,
    make_rejection,
    make_statistics,
)

VERBS = [f"verb{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
NOUNS = ["story", "poem", "sentence", "list", "email", "function"]
KOREAN_VERBS = ["작성하다", "설명하다", "쓰다", "만들다", "알려주다", "추천하다", "요약하다"]
KOREAN_NOUNS = ["글", "이유", "방법", "문장", "예시"]
ROUNDS = [RoundYield(drafts=10, admitted=place % 11) for place in range(250)]

needs_hangul = pytest.mark.skipif(
    find_hangul_typeface(list_system_fonts()) is None,
    reason="no font with Hangul here: install fonts-nanum or fonts-noto-cjk",
)


def make_full_edition(language: Language) -> Edition:
    statistics = make_statistics(
        {"en": make_phrases(VERBS, NOUNS), "ko": make_phrases(KOREAN_VERBS, KOREAN_NOUNS)}, ROUNDS
    )
    kept = [make_record(), make_record(Texts("과일 하나만 말해 줘.", "", "사과"), "ko")]
    return make_edition(kept, [make_rejection()], statistics, card_language=language)


def read_chunks(png: bytes) -> list[str]:
    """Name the chunks of a PNG file."""
    names: list[str] = []
    place = 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        names.append(png[place + 4 : place + 8].decode("ascii"))
        place += size + 12
    return names


@needs_hangul
@pytest.mark.parametrize("language", ["en", "ko"])
def test_all_six_are_drawn_small_wide_and_without_anything_but_the_picture(
    tmp_path: Path, language: Language
) -> None:
    gallery = draw_pictures(tmp_path, make_full_edition(language))

    assert [picture.subject for picture in gallery.pictures] == [
        "funnel", "lengths", "phrases-en", "phrases-ko", "similarity", "rounds",
    ]  # fmt: skip
    assert gallery.notices == ()
    for picture in gallery.pictures:
        png = (tmp_path / picture.path).read_bytes()
        assert set(read_chunks(png)) == {"IHDR", "PLTE", "IDAT", "IEND"}
        assert struct.unpack(">I", png[16:20]) == (1400,)
        assert len(png) < 80_000, picture.path


@needs_hangul
def test_descriptions_hold_the_figures_in_the_cards_language(tmp_path: Path) -> None:
    english = draw_pictures(tmp_path / "en", make_full_edition("en")).pictures
    korean = draw_pictures(tmp_path / "ko", make_full_edition("ko")).pictures

    assert "3 drafts, 2 after novelty" in english[0].alt
    assert "초안 3건, 참신성 뒤 2건" in korean[0].alt
    assert "median 1,234 characters" in english[1].alt
    assert "중앙값 1,234자" in korean[1].alt
    assert "verba" in english[2].alt
    assert "작성하다" in english[3].alt
    assert "median 0.41" in english[4].alt
    assert "1,238 of 2,500 drafts admitted in 250 rounds" in english[5].alt


def test_same_edition_gives_the_same_bytes(tmp_path: Path) -> None:
    edition = make_full_edition("en")
    files: list[dict[str, bytes]] = []
    for name in ("first", "second"):
        gallery = draw_pictures(tmp_path / name, edition)
        files.append(
            {one.path: (tmp_path / name / one.path).read_bytes() for one in gallery.pictures}
        )

    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Install fonts-nanum or fonts-noto-cjk"), ("ko", "한글 글꼴이 없어")],
)
def test_without_a_font_with_hangul_only_korean_words_are_missing_and_it_is_said(
    tmp_path: Path, language: Language, words: str
) -> None:
    gallery = draw_pictures(tmp_path, make_full_edition(language), font_files=())

    subjects = [picture.subject for picture in gallery.pictures]
    assert subjects == ["funnel", "lengths", "phrases-en", "similarity", "rounds"]
    assert len(gallery.notices) == 1
    assert words in gallery.notices[0]
    # The labels are in the letters that there are.
    assert gallery.pictures[0].title == "From drafts to records"


def test_english_version_needs_no_font_with_hangul(tmp_path: Path) -> None:
    statistics = make_statistics({"en": make_phrases(VERBS, NOUNS)})
    edition = make_edition([make_record()], [], statistics)

    gallery = draw_pictures(tmp_path, edition, font_files=())

    assert gallery.notices == ()
    assert "phrases-en" in {picture.subject for picture in gallery.pictures}


def test_pictures_without_figures_are_not_drawn(tmp_path: Path) -> None:
    assert draw_pictures(tmp_path, make_edition()).pictures == ()
    assert not (tmp_path / "figures").exists()
    drawn = draw_pictures(tmp_path, make_edition([make_record()])).pictures
    assert [picture.subject for picture in drawn] == ["funnel"]


def test_drawing_leaves_matplotlibs_state_alone_and_takes_none_of_it(tmp_path: Path) -> None:
    import matplotlib as mpl

    edition = make_full_edition("en")
    plain = draw_pictures(tmp_path / "plain", edition, font_files=()).pictures
    before = dict(mpl.rcParams)
    odd: dict[RcKeyType, object] = {
        "font.size": 40.0,
        "lines.linewidth": 9.0,
        "figure.dpi": 33.0,
        "savefig.bbox": "tight",
        "text.color": "red",
    }
    with mpl.rc_context(odd):
        drawn = draw_pictures(tmp_path / "odd", edition, font_files=()).pictures

    assert dict(mpl.rcParams) == before
    for one, other in zip(plain, drawn, strict=True):
        assert (tmp_path / "plain" / one.path).read_bytes() == (
            tmp_path / "odd" / other.path
        ).read_bytes()


def test_words_that_no_font_can_write_are_left_out_of_the_sunburst() -> None:
    # A character of the private use area, which no font should hold.
    phrases = [*make_phrases(["write"], ["story"]), Phrase(verb="write", noun="\ue123", count=9)]
    diversity = Diversity(
        looked_at=9, parsed=9, phrases=tuple(phrases), distinct_1=0.5, distinct_2=0.5
    )

    verbs = choose_verbs(diversity, bundled_typeface())

    assert [[noun.noun for noun in verb.nouns] for verb in verbs] == [["story"]]


def test_sunburst_has_the_twenty_commonest_verbs_with_four_nouns_each() -> None:
    phrases = (*make_phrases(VERBS, NOUNS), Phrase(verb="rest", noun="", count=9999))
    diversity = Diversity(
        looked_at=9999, parsed=9999, phrases=phrases, distinct_1=0.5, distinct_2=0.5
    )

    verbs = choose_verbs(diversity, bundled_typeface())

    assert [verb.word for verb in verbs] == VERBS[:20]
    assert {tuple(noun.noun for noun in verb.nouns) for verb in verbs} == {tuple(NOUNS[:4])}


@needs_hangul
def test_font_with_hangul_is_found_whatever_the_order_of_the_files() -> None:
    files = list_system_fonts()

    first, second = find_hangul_typeface(sorted(files)), find_hangul_typeface(sorted(files)[::-1])

    assert first == second
    assert first is not None
    assert first.can_draw("가각힣뷁 verb 1,234")
    assert "serif" not in Path(first.regular).name.lower() or all(
        "serif" in Path(file).name.lower() for file in files if "cjk" in file.lower()
    )


def test_files_that_are_no_fonts_are_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "NotoSansKR-Regular.ttf"
    broken.write_bytes(b"no font")

    assert find_hangul_typeface([str(broken), str(tmp_path / "absent.ttc")]) is None
    assert find_hangul_typeface([bundled_typeface().regular]) is None


@given(
    st.lists(st.floats(0, 360), min_size=1, max_size=60).map(sorted),
    st.floats(0.1, 6),
)
def test_spread_labels_are_in_order_and_apart(angles: Sequence[float], gap: float) -> None:
    places = spread(angles, [gap] * len(angles), 360)

    assert all(second - first >= gap - 1e-6 for first, second in zip(places, places[1:]))  # noqa: RUF007, B905
    assert places[-1] - places[0] <= 360 - gap + 1e-6


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([10, 100, 300], [5, 5, 5], 360) == pytest.approx([10, 100, 300])


def test_two_labels_at_one_place_move_apart_alike() -> None:
    assert spread([100, 100], [6, 6], 360) == pytest.approx([97, 103])


def test_drawing_prints_nothing_even_without_a_home_to_keep_a_cache_in(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.publishing.card_editions import make_edition, make_record\n"
        "from pipeline.publishing.pictures.pictures import draw_pictures\n"
        "assert draw_pictures(Path(sys.argv[1]), make_edition([make_record()])).pictures\n"
    )
    home = tmp_path / "a-file-where-a-folder-should-be"
    home.write_text("", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path / "version")],
        cwd=Path(__file__).parents[2],
        env={"HOME": str(home), "TMPDIR": str(tmp_path), "PATH": os.defpath},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
