import math
from pathlib import Path

import numpy
import pytest
from numpy.typing import NDArray
from PIL import Image

from schemas.manifest import TrainingPoint
from schemas.records import Language
from training.finetuning.curves import HeldOut, describe_curves, draw_curves, smooth_values

HELD_OUT = HeldOut(2.5, 1.5)
ORANGE, PURPLE = (213, 94, 0), (204, 121, 167)


def make_history(count: int, spike_at: int = 0) -> list[TrainingPoint]:
    return [
        TrainingPoint(
            step=step,
            loss=1 + 1.5 * math.exp(-3 * step / count) + 0.1 * math.sin(step),
            learning_rate=2e-4 * (1 - step / count),
            gradient_norm=50.0 if step == spike_at else 1.0,
            tokens=100 * step,
        )
        for step in range(1, count + 1)
    ]


def find_pixels(path: Path, colour: tuple[int, int, int]) -> NDArray[numpy.bool_]:
    pixels = numpy.asarray(Image.open(path).convert("RGB"), dtype=int)
    return abs(pixels - numpy.array(colour)).sum(axis=2) < 60


@pytest.mark.parametrize("count", [1, 2, 3, 300])
def test_the_same_history_gives_the_same_bytes_whatever_a_user_has_set(
    tmp_path: Path, count: int
) -> None:
    import matplotlib as mpl

    draw_curves(make_history(count), HELD_OUT, tmp_path / "one.png")
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 40, "axes.facecolor": "black"}):
        draw_curves(make_history(count), HELD_OUT, tmp_path / "other.png")

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


def test_the_picture_holds_no_clock_and_no_version(tmp_path: Path) -> None:
    draw_curves(make_history(20), HELD_OUT, tmp_path / "curves.png")

    with Image.open(tmp_path / "curves.png") as picture:
        picture.load()
        assert (picture.size, dict(picture.info)) == ((1400, 1040), {})


def test_held_out_losses_are_marked_at_both_ends(tmp_path: Path) -> None:
    draw_curves(make_history(50), HELD_OUT, tmp_path / "curves.png")

    marks = find_pixels(tmp_path / "curves.png", ORANGE)[80:540]
    columns = numpy.flatnonzero(marks.any(axis=0))
    assert columns.min() < 140
    assert columns.max() > 1280


@pytest.mark.parametrize(("spike_at", "is_tall"), [(4_321, True), (0, False)])
def test_one_spike_among_ten_thousand_steps_is_seen(
    tmp_path: Path, spike_at: int, is_tall: bool
) -> None:
    draw_curves(make_history(10_000, spike_at), HELD_OUT, tmp_path / "curves.png")

    # The gradient's panel is about 110 pixels high.
    heights = find_pixels(tmp_path / "curves.png", PURPLE)[840:].sum(axis=0)
    assert (heights.max() > 80) == is_tall


def test_smoothing_leaves_a_straight_line_as_it_is() -> None:
    line = [3.0 - 0.25 * step for step in range(40)]

    assert smooth_values(line) == pytest.approx(line)


def test_smoothing_fits_a_line_to_the_neighbours_of_each_step() -> None:
    values = [math.sin(step / 3) for step in range(60)]

    smooth = smooth_values(values)

    # A tenth of 60 values is 6: around 30 those from 27 to 32, at the ends the first and last six.
    for place, start in ((0, 0), (30, 27), (59, 54)):
        places = numpy.arange(start, start + 6)
        slope, height = numpy.polyfit(places, numpy.array(values)[places], 1)
        assert smooth[place] == pytest.approx(height + slope * place)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ("held-out loss 2.500 before, 1.500 after", "gradient norm at most 50.00, at step 7"),
        ),
        ("ko", ("검증 손실이 2.500에서 1.500로", "기울기 노름 최대 50.00(7스텝)")),
    ],
)
def test_the_description_tells_what_cannot_be_seen(
    language: Language, words: tuple[str, ...]
) -> None:
    said = describe_curves(make_history(20, spike_at=7), HELD_OUT, language)

    assert all(word in said for word in words)
