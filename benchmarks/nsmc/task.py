"""The question of the study as an evaluation task: NSMC's reviews in four wordings, and more.

Two wordings are of the kind that the mixture trains, two are not: the bare arrow of the seed format
(`"text" -> label`), which no record of a template looks like, and an instruction that explains each
label by a condition. Three more are for the base model alone, so that its best is a fair best.

Reviews of NSMC's dev file: 400 are measured on, 200 others were for choosing between mixtures while
the study was made. Worked examples come from the end of the train file, where no training record
comes from.
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.nsmc.rows import DATA, Review, read_reviews, take_balanced
from benchmarks.nsmc.sentiment_rows import NEGATIVE, POSITIVE
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskItem, Wording

ITEMS = 400
SHOT_REVIEWS = 200
"""The last ones of the train file: the pool of worked examples."""

SEEN = (
    Wording(name="asked", instruction="다음 영화평의 감정을 긍정 또는 부정으로 답하세요."),
    Wording(
        name="sorted",
        instruction="글쓴이가 영화를 어떻게 보았는지 '부정'과 '긍정' 가운데 하나로 분류해 줘.",
    ),
)
"""Of the kind that the mixture trains, letter by letter among its possible ones."""
UNSEEN = (
    Wording(name="arrow", form="arrow"),
    Wording(
        name="told",
        instruction="관객이 인터넷에 남긴 한 줄 소감이다. 마음에 들었다는 말이면 긍정, 실망했다는 "
        "말이면 부정이라고 적어라.",
    ),
)
"""Of no kind that it trains."""
FOR_THE_BASE = (
    Wording(
        name="arrow-asked",
        form="arrow",
        instruction="영화평의 감정을 긍정 또는 부정으로 답하세요.",
    ),
    Wording(name="short", instruction="긍정인가요, 부정인가요?"),
)
"""More chances for the base model to show its best."""


def measured_reviews(data: Path = DATA) -> list[Review]:
    """Return what students are measured on."""
    return take_balanced(read_reviews("nsmc/dev.jsonl", data), ITEMS)


def make_task(wordings: Sequence[Wording], data: Path = DATA) -> EvaluationTask:
    """Make the task in these wordings; the first is its usual one."""
    pool = read_reviews("nsmc/train.jsonl", data)[-SHOT_REVIEWS:]
    return EvaluationTask(
        name="nsmc",
        card=TaskCard(
            language="ko",
            family="sentiment",
            labels=(POSITIVE, NEGATIVE),
            wordings=tuple(wordings),
            licence="CC0-1.0",
            origin="e9t/nsmc: reviews of 9-10 and of 1-4 points",
        ),
        items=tuple(
            TaskItem(id=one.id, split="test", text=one.text, label=one.label)
            for one in measured_reviews(data)
        ),
        shots=tuple(
            TaskItem(id=one.id, split="shots", text=one.text, label=one.label) for one in pool
        ),
    )
