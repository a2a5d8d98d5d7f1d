"""A whole evaluation made up from a seed: its report and its answers."""

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.evaluation import (
    CanaryAnswer,
    ClusterDifference,
    Comparison,
    EvaluationReport,
    Family,
    GateCheck,
    GateVerdict,
    HeldOutLoss,
    JudgedPairs,
    MatrixRow,
    ModelFacts,
    Overlap,
    TextQuality,
    VariantScore,
)
from schemas.records import Language
from training.evaluation.page.answers import Block, ItemRow, Score, collect_blocks
from training.evaluation.page.trend import CellKey, Cycle

MODELS = ("smollm2-135m", "chat-full/0003-1f2e3d4c5b6a", "chat-lora/0004-0a1b2c3d4e5f")
TEXTS: dict[Language, str] = {
    "en": "The film number {} drags on, though its {} is splendid.",
    "ko": "{}번째 영화는 너무 지루했지만 {}만은 훌륭했다.",
}


class Asked(NamedTuple):
    """A task that was asked."""

    name: str
    family: Family
    language: Language
    labels: tuple[str, ...]
    """Empty for one whose answers are written."""
    wordings: tuple[str, ...] = ("plain", "arrow")


TASKS = (
    Asked("movie-sentiment-en", "sentiment", "en", ("positive", "negative", "neutral")),
    Asked("extraction-en", "extraction", "en", ()),
    Asked("movie-sentiment-ko", "sentiment", "ko", ("긍정", "부정", "중립")),
    Asked("topic-ko", "topic", "ko", ("정치", "경제", "사회", "과학")),
)


class Evaluated(NamedTuple):
    """What an evaluation leaves behind."""

    report: EvaluationReport
    rows: list[ItemRow]

    @property
    def blocks(self) -> list[Block]:
        return collect_blocks(self.rows)


def make_evaluation(
    models: Sequence[str] = MODELS,
    tasks: Sequence[Asked] = TASKS,
    *,
    items: int = 12,
    shots: Sequence[int] = (0, 4),
    draws: int = 2,
) -> Evaluated:
    """Make models that get better from the first to the last, each text at its own chance."""
    rows = [
        row
        for task in tasks
        for place, model in enumerate(models)
        for row in _answer_task(task, model, (place + 1) / (len(models) + 1), items, shots, draws)
    ]
    matrix = tuple(
        _sum_up(task, model, count, rows) for model in models for task in tasks for count in shots
    )
    comparisons = tuple(
        _compare(row, matrix, models[0]) for row in matrix if row.model != models[0]
    )
    few = tuple(
        one.model_copy(update={"kind": "zero-to-few", "baseline_shots": max(shots)})
        for one in comparisons
        if one.shots == 0
    )
    report = EvaluationReport(
        id="0123456789abcdef", items_hash="ab" * 8, template_hash="cd" * 8, seed=0, seconds=61,
        wordings=max(len(task.wordings) for task in tasks), draws=draws, baseline=models[0],
        challenger=models[-1],
        models={
            name: ModelFacts(model=name, fingerprint="ef" * 20, dataset="chat/0002-aabbccddeeff",
                             size_mb=540.5 - 100 * place, answers_per_second=31 + place)
            for place, name in enumerate(models)
        },
        matrix=matrix, comparisons=comparisons + few, verdict=make_verdict(models),
        held_out=tuple(
            HeldOutLoss(model=name, language=language, records=200, bytes=41_000,
                        bits_per_byte=1.5 - 0.2 * place, difference=-0.2 * place,
                        low=-0.2 * place - 0.04, high=-0.2 * place + 0.04)
            for language in ("en", "ko") for place, name in enumerate(models)
        ),
        canaries=tuple(
            CanaryAnswer(model=name, language="ko", instruction="대한민국의 수도는 어디야?",
                         answer="서울입니다." if place else "수도 수도 수도 수도", ended=place > 0,
                         repetitive=place == 0, in_language=True)
            for place, name in enumerate(models)
        ),
        overlaps=(Overlap(task=tasks[0].name, items=("i-1", "i-2"), excluded=True),),
        judged=(JudgedPairs(judge="gpt-4o", language="ko", wins=40, ties=25, losses=15,
                            win_rate=0.66, length_controlled=0.61, low=0.52, high=0.7),),
    )  # fmt: skip
    return Evaluated(report, rows)


def make_verdict(models: Sequence[str]) -> GateVerdict:
    reason = "zero-shot is 3.1 points better (−0.4 to 6.6), which more items would decide."
    return GateVerdict(
        verdict="hold", reasons=(reason,), challenger=models[-1], champion=models[0],
        items_needed=1140,
        checks=(
            GateCheck(name="integrity", outcome="pass", reason="All files are whole."),
            GateCheck(name="gain", outcome="hold", reason=reason),
            GateCheck(name="slices", outcome="reject", reason="topic-ko is 9 points worse."),
            GateCheck(name="speed", outcome="not-measured", reason="All answers were kept ones."),
        ),
    )  # fmt: skip


def make_cycles() -> list[Cycle]:
    """Make three versions; what was steered gains 10 points and then 5, all else 1 and then 0."""
    weak: CellKey = ("ko", "sentiment")
    strong: CellKey = ("en", "sentiment")
    other: CellKey = ("ko", "topic")
    return [
        Cycle("0001-aaaaaaaaaaaa", "promote", {
            strong: (0.7, 0.65, 0.75), weak: (0.4, 0.35, 0.45), other: (0.5, 0.45, 0.55)}, {}),
        Cycle("0002-bbbbbbbbbbbb", "promote", {
            strong: (0.71, 0.66, 0.76), weak: (0.5, 0.45, 0.55), other: (0.51, 0.46, 0.56)},
            {weak: 1.0}),
        Cycle("0003-cccccccccccc", "hold", {
            strong: (0.71, 0.66, 0.76), weak: (0.52, 0.47, 0.57), other: (0.6, 0.55, 0.65)},
            {weak: 0.25, other: 0.25}),
    ]  # fmt: skip


def write_rows(path: Path, rows: Sequence[ItemRow]) -> Path:
    """Write rows as an evaluation does."""
    score = pa.struct([("label", pa.string()), ("log_prob", pa.float64())])
    kinds: dict[str, pa.DataType] = {
        "shots": pa.int32(), "draw": pa.int32(), "marks": pa.int32(), "ended": pa.bool_(),
        "references": pa.list_(pa.string()), "log_probs": pa.list_(score),
    }  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in ItemRow._fields])
    laid = [
        {**row._asdict(), "log_probs": [one._asdict() for one in row.log_probs]} for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(laid, schema), path)
    return path


def _answer_task(
    task: Asked, model: str, skill: float, items: int, shots: Sequence[int], draws: int
) -> Iterator[ItemRow]:
    for count in shots:
        for wording in task.wordings:
            for draw in range(draws if count else 1):
                seed = f"{model} {task.name} {count} {wording} {draw}"
                chance = random.Random(seed)  # noqa: S311
                for number in range(items):
                    yield _answer_item(task, model, (count, wording, draw), number, skill, chance)


def _answer_item(
    task: Asked, model: str, asked: tuple[int, str, int], number: int, skill: float,
    chance: random.Random,
) -> ItemRow:  # fmt: skip
    is_right = chance.random() < skill
    shots, wording, draw = asked
    row = ItemRow(
        model=model, task=task.name, shots=shots, wording=wording, draw=draw,
        item=f"{task.name}-{number}",
        text=TEXTS[task.language].format(number, ("music", "음악")[task.language == "ko"]),
        label="", references=(f"answer {number}", f"No. {number}"),
        prediction=f"answer {number}" if is_right else "answer answer answer",
        marks=100 * is_right, ended=is_right, log_probs=(),
    )  # fmt: skip
    if not task.labels:
        return row
    label = task.labels[number % len(task.labels)]
    prediction = label if is_right else task.labels[(number + 1) % len(task.labels)]
    weights = {one: 3 if one == prediction else 1 for one in task.labels}
    return row._replace(
        label=label, references=(), prediction=prediction, ended=None,
        log_probs=tuple(Score(one, math.log(weight) - 4) for one, weight in weights.items()),
    )  # fmt: skip


def _sum_up(task: Asked, model: str, shots: int, rows: Sequence[ItemRow]) -> MatrixRow:
    own = [r for r in rows if (r.model, r.task, r.shots) == (model, task.name, shots)]
    marks: dict[tuple[str, int], list[int]] = {}
    for row in own:
        marks.setdefault((row.wording, row.draw), []).append(row.marks)
    scores = {key: sum(found) / len(found) / 100 for key, found in marks.items()}
    middle = sum(scores.values()) / len(scores)
    count = len({row.item for row in own})
    half = 1.96 * math.sqrt(max(middle * (1 - middle), 0.01) / count)
    return MatrixRow(
        model=model, task=task.name, family=task.family, language=task.language,
        metric="accuracy" if task.labels else "exact_match", shots=shots, item_count=count,
        cluster_count=count, accuracy=middle, low=max(0, middle - half), high=min(1, middle + half),
        variants=tuple(
            VariantScore(wording=wording, draw=draw, score=score, auc=0.5 + score / 2,
                         by_rule={"raw": score, "per_byte": max(0, score - 0.02),
                                  "calibrated": min(1, score + 0.03)})
            if task.labels else VariantScore(wording=wording, draw=draw, score=score)
            for (wording, draw), score in scores.items()
        ),
        quality=None if task.labels else TextQuality(
            ended=middle, repetitive=1 - middle, in_language=0.98, rouge_l=middle, chrf=middle),
    )  # fmt: skip


def _compare(row: MatrixRow, matrix: Sequence[MatrixRow], baseline: str) -> Comparison:
    asked = (baseline, row.task, row.shots)
    theirs = next(one for one in matrix if (one.model, one.task, one.shots) == asked)
    half = (row.high - row.low) / 2
    difference = row.accuracy - theirs.accuracy
    return Comparison(
        kind="same-shots", task=row.task, family=row.family, language=row.language,
        shots=row.shots, baseline_shots=row.shots, baseline=baseline, challenger=row.model,
        item_count=row.item_count, wins=4, losses=2, difference=difference,
        low=difference - half, high=difference + half, p_value=0.0312,
        pairs=(
            ClusterDifference(marks=100, answers=1, clusters=4),
            ClusterDifference(marks=-100, answers=1, clusters=2),
            ClusterDifference(marks=0, answers=1, clusters=max(row.item_count - 6, 1)),
        ),
    )  # fmt: skip
