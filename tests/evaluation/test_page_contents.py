"""What the page of an evaluation holds: every text once, every answer where it belongs."""

import base64
import json
import math
import re
import zlib
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from schemas.records import Language
from tests.evaluation.evaluated import TASKS, make_cycles, make_evaluation, write_rows
from training.evaluation.page.answers import (
    ItemRow,
    ItemsError,
    Score,
    collect_blocks,
    read_items,
)
from training.evaluation.page.page import render_page, write_page
from training.evaluation.page.trend import Cycle, Gain, describe_trend

ROW = ItemRow(
    model="base", task="t", shots=0, wording="plain", draw=0, item="i-1", text="재미있다.",
    label="긍정", references=(), prediction="부정", marks=0, ended=None,
    log_probs=(Score("긍정", math.log(0.2)), Score("부정", math.log(0.6))),
)  # fmt: skip


def unpack(page: str, number: int) -> dict[str, Any]:
    found = re.search(rf'id="block-{number}">([^<]*)<', page)
    assert found
    return json.loads(zlib.decompress(base64.b64decode(found[1]), -15))


def test_a_text_stands_once_however_often_it_was_asked() -> None:
    rows = [
        ROW._replace(model=model, shots=shots, wording=wording)
        for model in ("base", "chat") for shots in (0, 4) for wording in ("plain", "arrow")
    ]  # fmt: skip

    (block,) = collect_blocks(rows)

    assert block.texts == ["재미있다."]
    assert block.strings == ["긍정", "부정"]
    assert len(block.columns) == 8
    assert block.row_count == 8


def test_log_probabilities_become_shares_of_certainty_among_the_answers() -> None:
    (block,) = collect_blocks([ROW])

    # 0.2 against 0.6 is a quarter of what is shared.
    assert block.columns[0].chances == [250, 750]
    assert block.chance == 0.5


def test_an_impossible_answer_has_no_share() -> None:
    impossible = (Score("긍정", -math.inf), Score("부정", -3.0))
    none_possible = (Score("긍정", -math.inf), Score("부정", -math.inf))

    (block,) = collect_blocks([
        ROW._replace(log_probs=impossible),
        ROW._replace(item="i-2", log_probs=none_possible),
    ])  # fmt: skip

    assert block.columns[0].chances == [0, 1000, 500, 500]


def test_items_with_choices_of_their_own_keep_them() -> None:
    own = ROW._replace(item="i-2", log_probs=tuple(Score(str(n), -1.0) for n in range(4)))

    (block,) = collect_blocks([ROW, own])

    assert [len(answers) for answers in block.answers] == [2, 4]
    assert block.chance == pytest.approx((1 / 2 + 1 / 4) / 2)


def test_a_model_that_was_asked_other_items_is_told_apart() -> None:
    rows = [ROW, ROW._replace(item="i-2"), ROW._replace(model="chat", item="i-2")]

    block = collect_blocks(rows)[0].to_json()

    columns = block["columns"]
    assert isinstance(columns, list)
    assert [column["items"] for column in columns] == [None, [1]]


def test_answers_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    rows = make_evaluation(items=3).rows

    assert list(read_items(write_rows(tmp_path / "items.parquet", rows))) == rows


def test_a_file_that_holds_no_answers_is_refused_in_one_line(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    other, broken = tmp_path / "other.parquet", tmp_path / "broken.parquet"
    pq.write_table(pa.table({"model": ["base"]}), other)
    broken.write_bytes(b"PAR1")

    with pytest.raises(ItemsError, match=r"none called draw, ended, item") as found:
        list(read_items(other))
    assert "\n" not in str(found.value)
    for path in (broken, tmp_path / "absent.parquet"):
        with pytest.raises(ItemsError, match="cannot be read as Parquet"):
            list(read_items(path))


def test_the_same_evaluation_gives_the_same_bytes_and_no_file_beside(tmp_path: Path) -> None:
    report, rows = make_evaluation(items=3)
    items = write_rows(tmp_path / "items.parquet", rows)

    first = write_page(tmp_path, report, items).read_bytes()

    assert write_page(tmp_path, report, items).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.parquet", "report.html"]


def test_nothing_that_anyone_wrote_is_markup() -> None:
    bad = "</script><img src=x onerror=alert(1)>"
    report, rows = make_evaluation(("base", bad), items=2)
    rows = [row._replace(text=bad, prediction=bad, item=bad + row.item) for row in rows]

    page = "".join(render_page(report, collect_blocks(rows), [], "en"))

    assert "<img" not in page
    assert page.count("</script>") == 3 + len(collect_blocks(rows))
    assert unpack(page, 0)["texts"][0] == bad


def test_the_page_may_ask_for_nothing() -> None:
    report, _ = make_evaluation(items=2)

    page = "".join(render_page(report, [], [], "en"))

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"(?:src|href)=\"?https?:", page)


@pytest.mark.parametrize(("asked", "language"), [(("en",), "en"), (("ko",), "ko"), (None, "en")])
def test_the_page_opens_in_the_language_of_most_cells(
    tmp_path: Path, asked: tuple[Language, ...] | None, language: Language
) -> None:
    report, rows = make_evaluation(items=2)
    matrix = [row for row in report.matrix if asked is None or row.language in asked]
    report = report.model_copy(update={"matrix": tuple(matrix)})
    items = write_rows(tmp_path / "items.parquet", rows)

    assert f'<html lang="{language}">' in write_page(tmp_path, report, items).read_text("utf-8")


def test_both_editions_say_the_same_things() -> None:
    path = Path(__file__).parents[2] / "training" / "evaluation" / "page"
    words = json.loads((path / "words.json").read_text("utf-8"))
    scripts = "".join(file.read_text("utf-8") for file in path.glob("*.js"))

    def shape(edition: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
        return [
            (kind, key, sorted(set(re.findall(r"\{\w+\}", str(text)))))
            for kind, texts in edition.items()
            for key, text in texts.items()
        ]

    assert shape(words["en"]) == shape(words["ko"])
    assert all(re.search("[가-힣]", str(t)) for t in words["ko"]["checks"].values())
    said = set(re.findall(r'say\("([\w-]+)"', scripts))
    assert said <= set(words["en"]["page"])


def test_a_whole_matrix_stays_small() -> None:
    import random

    # 4 models, 3 columns, 2 languages, 400 items, 2 wordings and 2 draws, as in the issue.
    chance = random.Random(0)  # noqa: S311
    report, rows = make_evaluation(
        ("base", "full", "lora", "qlora"), (TASKS[0], TASKS[2]), items=400, shots=(0, 1, 4)
    )
    rows = [
        row._replace(
            text=" ".join(f"{row.text} {chance.random()}" for _ in range(3)),
            log_probs=tuple(one._replace(log_prob=-5 * chance.random()) for one in row.log_probs),
        )
        for _, own in groupby(rows, lambda row: row.task)
        for row in own
    ]

    assert len(rows) == 4 * 2 * 400 * (2 + 4 + 4)
    size = sum(map(len, render_page(report, collect_blocks(rows), make_cycles(), "ko")))
    assert size < 1_000_000


def test_gains_of_steered_cells_are_weighed_by_their_quota() -> None:
    trend = describe_trend(make_cycles())

    # Version 2: Korean sentiment went from 40 to 50, the others from 70 to 71 and from 50 to 51.
    assert trend.gains[0][1:] == pytest.approx((0.1, 0.01))
    # Version 3: half of the extra quota each to a cell that gained 2 points and one that gained 9.
    assert trend.gains[1][1:] == pytest.approx((0.055, 0.0))
    assert trend.cells == (("en", "sentiment"), ("ko", "sentiment"), ("ko", "topic"))


def test_cells_that_a_version_lacks_are_left_open() -> None:
    cycles = [
        Cycle("1", "", {("en", "topic"): (0.5, 0.4, 0.6)}, {}),
        Cycle("2", "hold", {("ko", "topic"): (0.5, 0.4, 0.6)}, {("ko", "topic"): 1.0}),
    ]

    trend = describe_trend(cycles)

    assert trend.scores == (((0.5, 0.4, 0.6), None), (None, (0.5, 0.4, 0.6)))
    assert trend.gains == (Gain("2", None, None),)
