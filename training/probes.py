"""Texts on which two models are compared: fixed ones in both languages, and held-out rows.

Held-out rows are what the student was tuned for; the fixed texts are what it was not, and are the
same for every student. Cost: reading one small parquet file.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.manifest import DatasetManifest, TrainingManifest
from schemas.records import LANGUAGES, Language
from schemas.rendering import Rendered
from schemas.storage import ManifestError, read_manifest
from schemas.templates import INSTRUCTION
from training.templating import find_template
from training.tokens import split_rows, start_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from schemas.templates import Template

_ROWS_PER_LANGUAGE = 6
_MOST_TOKENS = 64

FIXED_TEXTS = (
    "The library opens at nine and closes at six, except on Sundays, when it stays shut all day. "
    "Members may borrow up to five books for three weeks.",
    "Water boils at a lower temperature in the mountains because the pressure of the air is lower "
    "there, so rice and beans take longer to cook.",
    "def median(values):\n    ordered = sorted(values)\n    middle = len(ordered) // 2\n"
    "    return ordered[middle]\n",
    "Dear Ms. Brown, thank you for your letter of March 3. I am sorry to hear that the lamp "
    "arrived broken; a new one is on its way and should reach you by Friday.",
    "Question: A train travels 180 kilometres in 2 hours. How fast is it?\n"
    "Answer: 180 / 2 = 90, so it travels at 90 kilometres an hour.",
    "Honey never spoils: its sugar binds the water that bacteria would need, and it is sour as "
    "well. Jars found in tombs were still good after three thousand years.",
    "도서관은 아침 아홉 시에 열고 저녁 여섯 시에 닫습니다. 일요일에는 하루 종일 쉬고, 회원은 "
    "책을 다섯 권까지 삼 주 동안 빌릴 수 있습니다.",
    "산 위에서는 기압이 낮아서 물이 더 낮은 온도에서 끓는다. 그래서 밥이나 콩을 익히는 데 시간이 "
    "더 오래 걸린다.",
    "안녕하세요. 지난주에 주문한 전등이 깨진 채로 도착했다니 죄송합니다. 새 제품을 오늘 보내 "
    "드렸으니 금요일까지 받아 보실 수 있을 거예요.",
    "질문: 기차가 두 시간 동안 180킬로미터를 달렸다면 속력은 얼마일까요?\n"
    "답: 180 나누기 2는 90이므로 시속 90킬로미터입니다.",
    "꿀은 쉽게 상하지 않는다. 당분이 세균에게 필요한 물을 붙잡아 두고, 성질도 약한 산성이기 "
    "때문이다.",
    "김치는 배추를 소금에 절인 뒤 고춧가루, 마늘, 생강, 젓갈을 넣어 버무리고 서늘한 곳에서 익힌다.",
)


class Probes(NamedTuple):
    """Texts in tokens, start included, at most 64 of each."""

    texts: list[list[int]]
    held_out_rows: int
    """The last so many of the texts."""


def read_probes(
    version: Path, manifest: TrainingManifest, tokenizer: "PreTrainedTokenizerBase"
) -> Probes:
    """Collect the texts for a tuned student.

    Its dataset is looked for in ``datasets`` beside the ``models`` that the version is in; where it
    is not, the fixed texts have to do.
    """
    fixed = split_rows([Rendered(text, "") for text in FIXED_TEXTS], INSTRUCTION, tokenizer)
    template = find_template(manifest.template, tokenizer)
    rows = split_rows(_held_out(version.resolve(), manifest, template), template, tokenizer)
    plain_start, start = start_tokens(tokenizer), start_tokens(tokenizer, template)
    texts = [
        *([*plain_start, *split.prompt] for split in fixed),
        *([*start, *split.prompt, *split.answer] for split in rows),
    ]
    return Probes([text[:_MOST_TOKENS] for text in texts], len(rows))


def _held_out(version: Path, manifest: TrainingManifest, template: "Template") -> list[Rendered]:
    dataset = version.parents[2] / "datasets" / manifest.dataset
    try:
        found = read_manifest(dataset, DatasetManifest, "a dataset version")
    except ManifestError:
        return []
    if found.content_hash != manifest.dataset_content_hash:
        return []
    return [text for code in LANGUAGES for text in _rows_of(dataset, code, template)]


def _rows_of(dataset: Path, language: Language, template: "Template") -> list[Rendered]:
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(
        dataset / "data" / "validation.parquet",
        columns=["instruction", "input", "output", "language"],
        filters=[("language", "=", language)],
    ).slice(0, _ROWS_PER_LANGUAGE)
    return [
        template.render(row["instruction"], row["input"], row["output"], language)
        for row in rows.to_pylist()
    ]
