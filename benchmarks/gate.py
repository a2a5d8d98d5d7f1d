"""How often the gate is right: equal models, a truly better one, one slice made worse, rollback.

Models are drawn item by item, as real ones answer: what is hard for one is hard for the other, a
wording suits some items, and a model repeats itself on an item in all wordings. Two models that
were drawn alike disagree on the share of items that is printed; real students and their base
disagree on a fifth to a third. With ``--items`` nothing is simulated: items are drawn with
replacement from an evaluation's own table, and the two models swap their answers to every other
item, so that neither is better by more than chance.

No test that promotes at most 5 % of equal models could find 6 points on 400 items in 80 % of runs
where models disagree on 22 % of them: the difference is 2.4 standard errors, which is 78 % at best.
On 400 items in each of two languages it can.

A better challenger gets so many wrong answers right that its expected score rises by the points
that are printed; a worse slice is made in one cell in the same way.

    .venv/bin/python -m benchmarks.gate
    .venv/bin/python -m benchmarks.gate --items outputs/evaluations/MODEL/ID/items.parquet
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.registry_kills import kill_many
from schemas.evaluation import Comparison, EvaluationReport
from tests.evaluation.simulated_report import comparison, report
from training.evaluation.gate.judging import judge
from training.evaluation.page.answers import read_items
from training.evaluation.statistics.clusters import Paired, pair_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHOTS = (0, 1, 4)
_WORDINGS, _DRAWS = 2, 2


class Design(NamedTuple):
    """What is asked of how many items."""

    name: str
    tasks: tuple[str, ...]
    item_count: int
    """Of each task."""
    wordings: int = _WORDINGS
    agreement: float = 0.75
    """Correlation of two models on one item: 0.75 is a disagreement on 23 % of them."""
    group: int = 1
    """Items that hang together."""
    taste: float = 0.0
    """How much each model does better in its own wording and worse in the other's, in standard
    deviations of ease."""


class Cell(NamedTuple):
    """Both models on one task with so many worked examples."""

    task: str
    shots: int
    right: "NDArray[np.bool_]"
    """``(2, variants, items)``: baseline, challenger."""


Draw = Callable[[np.random.Generator], list[Cell]]
"""Draws two models that are equally good."""

TWO_LANGUAGES = ("sentiment-en", "sentiment-ko")
SIX_TASKS = tuple(f"{family}-{language}" for family in ("sentiment", "topic", "entailment")
                  for language in ("en", "ko"))  # fmt: skip


def simulate(design: Design) -> Draw:
    """Give the maker of two equal models that are asked so."""

    def draw(generator: np.random.Generator) -> list[Cell]:
        return [
            Cell(task, shots, right)
            for task in design.tasks
            for shots, right in _draw_task(generator, design).items()
        ]

    return draw


def _draw_task(generator: np.random.Generator, design: Design) -> "dict[int, NDArray[np.bool_]]":
    """Draw a latent ease of every answer; what exceeds the threshold is right."""
    count = design.item_count

    def normal(*shape: int) -> "NDArray[np.float64]":
        return generator.normal(size=shape)

    def of_items(models: int) -> "NDArray[np.float64]":
        """Draw per item, half of it in common with the item's group."""
        alone = normal(models, 1, count)
        if design.group == 1:
            return alone
        groups = np.repeat(normal(models, 1, count // design.group), design.group, axis=2)
        return (alone + groups) / np.sqrt(2)

    common, own = of_items(1), of_items(2)
    wording_suits = normal(1, design.wordings, count)
    bias = generator.uniform(-0.3, 0.3, (1, design.wordings, 1)) + _own_tastes(design)
    cells: dict[int, NDArray[np.bool_]] = {}
    for shots in _SHOTS:
        draws = _DRAWS if shots else 1
        shape = 2, design.wordings * draws, count
        ease = (
            np.sqrt(design.agreement * 0.85) * common
            + np.sqrt((1 - design.agreement) * 0.6) * own
            + np.sqrt(design.agreement * 0.15) * np.repeat(wording_suits, draws, axis=1)
            + np.sqrt((1 - design.agreement) * 0.4) * generator.normal(size=shape)
        )
        cells[shots] = ease > np.repeat(bias, draws, axis=1) - 0.25
    return cells


def _own_tastes(design: Design) -> "NDArray[np.float64]":
    signs = np.where(np.arange(design.wordings) % 2, 1.0, -1.0)
    return design.taste * np.stack([signs, -signs])[:, :, None]


def resample(path: Path, item_count: int) -> Draw:
    """Give the maker of two equal models from the first and last model of an evaluation."""
    marks: dict[tuple[str, int], dict[str, dict[tuple[str, int], list[int]]]] = {}
    for row in read_items(path):
        models = marks.setdefault((row.task, row.shots), {})
        models.setdefault(row.model, {}).setdefault((row.wording, row.draw), []).append(row.marks)
    known = {key: _take_two(models) for key, models in marks.items()}

    def draw(generator: np.random.Generator) -> list[Cell]:
        chosen: dict[str, tuple[NDArray[np.int64], NDArray[np.bool_]]] = {}
        cells: list[Cell] = []
        for (task, shots), right in known.items():
            picked = generator.integers(0, right.shape[2], item_count)
            items, swaps = chosen.setdefault(task, (picked, generator.random(item_count) < 0.5))
            drawn = right[:, :, items]
            cells.append(Cell(task, shots, np.where(swaps, drawn[::-1], drawn)))
        return cells

    return draw


def _take_two(models: dict[str, dict[tuple[str, int], list[int]]]) -> "NDArray[np.bool_]":
    first, *_, last = models.values()
    return np.array([[*first.values()], [*last.values()]]) >= 50


def improve(cells: list[Cell], points: float, generator: np.random.Generator) -> list[Cell]:
    """Let the challenger get better by so many points in every cell; below 0, worse.

    An item changes in all of its variants at once, which is the least that averaging over wordings
    can help.
    """
    chance: dict[str, NDArray[np.float64]] = {}
    changed: list[Cell] = []
    for cell in cells:
        luck = chance.setdefault(cell.task, generator.random(cell.right.shape[2]))
        right, becomes = cell.right.copy(), points > 0
        room = np.mean(right[1] != becomes)
        right[1, :, luck < abs(points) / 100 / room] = becomes
        changed.append(cell._replace(right=right))
    return changed


def make_report(cells: list[Cell], group: int) -> EvaluationReport:
    """Compare the two models in all three ways, but for the intervals, which no check reads."""
    found: list[Comparison] = []
    by_key = {(cell.task, cell.shots): cell for cell in cells}
    for cell in cells:
        clusters = [f"{number // group}" for number in range(cell.right.shape[2])]

        def compare_with(
            rival: "NDArray[np.bool_]", cell: Cell = cell, clusters: list[str] = clusters
        ) -> Paired:
            return pair_up(clusters, _marks(cell.right[1]), _marks(rival))

        found.append(comparison(cell.task, compare_with(cell.right[0]), shots=cell.shots))
        if cell.shots == 0:
            few = by_key[cell.task, max(shots for task, shots in by_key if task == cell.task)]
            found.append(comparison(cell.task, compare_with(few.right[0]), "zero-to-few"))
            best = int(cell.right[0].sum(axis=1).argmax())
            rival = compare_with(cell.right[0, best : best + 1])
            found.append(comparison(cell.task, rival, "zero-to-best-wording"))
    return report(found)


def _marks(right: "NDArray[np.bool_]") -> list[list[int]]:
    return (100 * right.astype(np.int64)).tolist()


class Rates(NamedTuple):
    """Shares of runs."""

    discordance: float
    """Items that exactly one of two equal models gets right, in one wording at zero-shot."""
    equal_promoted: float
    better_promoted: float
    worse_rejected: float
    reasons: Counter[str]
    """Why better ones were not promoted: the checks that held or rejected them."""


class Settings(NamedTuple):
    """How much is tried."""

    equal_runs: int
    better_runs: int
    worse_runs: int
    better_points: float
    worse_points: float
    seed: int


def measure(draw: Draw, group: int, settings: Settings) -> Rates:
    """Count verdicts on equal models, better ones, and better ones with one worse slice."""
    generator = np.random.default_rng(settings.seed)
    discordance: list[float] = []
    verdicts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for _ in range(settings.equal_runs):
        cells = draw(generator)
        discordance += [
            float(np.mean(cell.right[0, 0] != cell.right[1, 0]))
            for cell in cells
            if cell.shots == 0
        ]
        verdicts["equal " + judge(make_report(cells, group)).verdict] += 1
    for _ in range(settings.better_runs):
        cells = improve(draw(generator), settings.better_points, generator)
        verdict = judge(make_report(cells, group))
        verdicts["better " + verdict.verdict] += 1
        reasons.update(one.name for one in verdict.checks if one.outcome in ("hold", "reject"))
    for number in range(settings.worse_runs):
        cells = improve(draw(generator), settings.better_points, generator)
        place = number % len(cells)
        worse = settings.better_points + settings.worse_points
        cells[place : place + 1] = improve(cells[place : place + 1], -worse, generator)
        verdicts["worse " + judge(make_report(cells, group)).verdict] += 1
    return Rates(
        float(np.mean(discordance)),
        verdicts["equal promote"] / settings.equal_runs,
        verdicts["better promote"] / settings.better_runs,
        verdicts["worse reject"] / settings.worse_runs,
        reasons,
    )


DESIGNS = (
    Design("2 languages × 400 items", TWO_LANGUAGES, 400),
    Design("the same, one wording", TWO_LANGUAGES, 400, wordings=1),
    Design("the same, models less alike", TWO_LANGUAGES, 400, agreement=0.6),
    Design("the same, items in groups of 4", TWO_LANGUAGES, 400, group=4),
    Design("the same, each its own wording", TWO_LANGUAGES, 400, taste=0.2),
    Design("6 tasks × 400 items", SIX_TASKS, 400),
    Design("1 task × 400 items", TWO_LANGUAGES[:1], 400),
    Design("the same, models more alike", TWO_LANGUAGES[:1], 400, agreement=0.9),
    Design("2 languages × 100 items", TWO_LANGUAGES, 100),
)


def main() -> None:
    """Print a line a design, and what the registry survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, help="an evaluation's items.parquet")
    parser.add_argument("--runs", type=int, default=1000, help="of equal models")
    parser.add_argument("--better", type=float, default=6, help="points")
    parser.add_argument("--worse", type=float, default=20, help="points, in one slice")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    settings = Settings(given.runs, given.runs // 5, 100, given.better, given.worse, given.seed)
    print(
        f"{'':<32}{'disagree':>9}{'equal':>10}{f'+{given.better:g} points':>12}"
        f"{f'-{given.worse:g} in one':>12}{'CPU s':>8}\n"
        f"{'':<41}{'promoted':>10}{'promoted':>12}{'rejected':>12}"
    )
    if given.items:
        _print_rates(f"{given.items.parent.name} × 400", resample(given.items, 400), 1, settings)
    else:
        for design in DESIGNS:
            _print_rates(design.name, simulate(design), design.group, settings)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        seen = kill_many(Path(folder), given.kills, given.seed)
    print(
        f"registry killed {seen.kills} times among {seen.changes:,} changes: nothing lost, slowest "
        f"rollback after a kill {1000 * seen.slowest_rollback_s:.0f} ms "
        f"({time.perf_counter() - started:.0f} s)"
    )


def _print_rates(name: str, draw: Draw, group: int, settings: Settings) -> None:
    started = time.process_time()
    rates = measure(draw, group, settings)
    held = ", ".join(f"{name} {count}" for name, count in rates.reasons.most_common())
    print(
        f"{name:<32}{rates.discordance:>9.1%}{rates.equal_promoted:>10.1%}"
        f"{rates.better_promoted:>12.1%}{rates.worse_rejected:>12.1%}"
        f"{time.process_time() - started:>8.1f}  {held}"
    )


if __name__ == "__main__":
    main()
