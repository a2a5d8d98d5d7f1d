"""Planted leaks that are caught, false alarms on real instructions, and records per CPU-second.

Each item of two evaluation sets (the English user-oriented tasks of Self-Instruct, the Korean movie
reviews of nsmc) is planted into a record in each of the ways in which copies vary. False alarms
are counted on real instructions that do not hold an item letter for letter. The way that is
measured against joins the words of each 13-gram in Python and looks it up in a set, as most
decontamination scripts do; its n-grams are words in both languages.

    .venv/bin/python -m benchmarks.contamination
"""

import argparse
import gzip
import json
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

from benchmarks.endpoint import ROOT
from pipeline.curation.contamination.contamination import (
    ContaminationConfig,
    ProtectedItem,
    drop_contaminated,
)
from schemas.records import InstructionRecord, Language, Provenance, StageResult

DATA = ROOT / "../shared/data"
_ORIGIN = Provenance(strategy="import", teacher="benchmark", completion_id="benchmark")
_ANSWER: dict[Language, str] = {
    "en": "It depends on what you would like to do with it, so begin with a plan.",
    "ko": "무엇을 하려는지에 따라 다르므로 먼저 계획을 세우는 것이 좋습니다.",
}
_AROUND: dict[Language, tuple[str, str]] = {
    "en": ("Please read this and answer: ", " Take your time and explain each step."),
    "ko": ("다음을 읽고 답해 주세요. ", " 단계별로 천천히 설명해 주세요."),
}
_MARKS = re.compile(r"[^\w\s]")
_WIDEN = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

Plant = Callable[[str, Language], str]
PLANTS: dict[str, Plant] = {
    "as it is": lambda text, _: text,
    "decomposed (NFD)": lambda text, _: unicodedata.normalize("NFD", text),
    "spaces doubled": lambda text, _: re.sub(r"\s+", "  ", text),
    "spaces removed": lambda text, _: re.sub(r"\s+", "", text),
    "punctuation removed": lambda text, _: _MARKS.sub(" ", text),
    "punctuation added": lambda text, _: text.replace(" ", ", ") + "!!",
    "upper case": lambda text, _: text.upper(),
    "full width": lambda text, _: text.translate(_WIDEN),
    "prefix": lambda text, language: _AROUND[language][0] + text,
    "suffix": lambda text, language: text + _AROUND[language][1],
    "prefix and suffix": lambda text, language: text.join(_AROUND[language]),
}


def make_record(instruction: str, language: Language, input_text: str = "") -> InstructionRecord:
    return InstructionRecord(
        instruction=instruction,
        input=input_text,
        output=_ANSWER[language],
        language=language,
        provenance=_ORIGIN,
    )


def read_items(path: Path, column: str) -> list[ProtectedItem]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [str(row[column]) for row in rows]
    return [
        ProtectedItem(f"{path.stem}:{number}", (text,), path.stem)
        for number, text in enumerate(texts, start=1)
        if any(map(str.isalnum, text))
    ]


def read_corpus(language: Language) -> list[str]:
    path = DATA / f"corpora/{language}_instructions.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = (str(json.loads(line)["instruction"]) for line in lines)
        return [text for text in texts if text.strip()]


def print_caught(items: list[ProtectedItem], language: Language) -> None:
    short = [len(item.texts[0].split()) < 13 for item in items]
    print(f"\n{items[0].source}: {len(items)} items, {sum(short)} shorter than 13 words")
    config = ContaminationConfig()
    for name, plant in PLANTS.items():
        records = [make_record(plant(item.texts[0], language), language) for item in items]
        missed = drop_contaminated(records, items, config).kept
        few = sum(len(record.instruction.split()) < 13 for record in missed)
        print(f"  {name:20} {1 - len(missed) / len(items):7.2%}  missed {len(missed)}, short {few}")


def squeeze(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded))


def print_false_alarms(
    items: list[ProtectedItem], texts: list[str], language: Language, most: int
) -> None:
    records = [make_record(text, language) for text in texts]
    result = drop_contaminated(records, items, ContaminationConfig())
    wanted = {item.id: squeeze(item.texts[0]) for item in items}
    false = [
        one
        for one in result.dropped
        if wanted[one.collides_with or ""] not in squeeze(one.draft.instruction)
    ]
    print(
        f"\n{len(texts):,} real instructions ({language}): {len(result.dropped)} dropped, "
        f"{len(result.dropped) - len(false)} hold the item, "
        f"false alarms {len(false) / len(texts):.3%}"
    )
    for one in false[:most]:
        print(f"  {one.draft.instruction[:80]!r}: {one.detail[:160]}")


def search_sets(records: list[InstructionRecord], items: list[ProtectedItem]) -> int:
    """Count the records that share a 13-gram, the usual way."""
    known: set[str] = set()
    for item in items:
        words = re.findall(r"\w+", item.texts[0].lower())
        known.update(" ".join(words[at : at + 13]) for at in range(len(words) - 12))
    found = 0
    for record in records:
        words = re.findall(r"\w+", f"{record.instruction} {record.input} {record.output}".lower())
        grams = {" ".join(words[at : at + 13]) for at in range(len(words) - 12)}
        found += not grams.isdisjoint(known)
    return found


def print_speed(texts: dict[Language, list[str]], items: list[ProtectedItem], rows: int) -> None:
    records = [
        make_record(text, language, input_text=text)
        for language, own in texts.items()
        for text in own
    ]
    # An answer of usual length: five other instructions.
    records = [
        record.model_copy(
            update={
                "output": " ".join(
                    records[(number * 7 + step) % len(records)].instruction for step in range(5)
                )
            }
        )
        for number, record in enumerate((records * (rows // len(records) + 1))[:rows])
    ]
    size = sum(len(r.instruction) + len(r.input) + len(r.output) for r in records) / len(records)
    drop_contaminated(records[:10], items, ContaminationConfig())
    print(f"\n{rows:,} records of {size:.0f} characters, {len(items):,} protected items")
    start = time.process_time()
    result: StageResult = drop_contaminated(records, items, ContaminationConfig())
    ours = time.process_time() - start
    start = time.process_time()
    search_sets(records, items)
    sets = time.process_time() - start
    print(f"  ours                {ours:6.2f} CPU-s  {rows / ours:9,.0f} records/CPU-s")
    print(f"  Python, 13-grams    {sets:6.2f} CPU-s  {rows / sets:9,.0f} records/CPU-s")
    print(f"  dropped {len(result.dropped):,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="of the measure of speed")
    parser.add_argument("--examples", type=int, default=5, help="of false alarms")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"Skipped: needs evaluation sets and corpora, none at {DATA}.")
        return
    english = read_items(DATA / "self_instruct/user_oriented_instructions.jsonl", "instruction")
    korean = read_items(DATA / "nsmc/dev.jsonl", "text")
    print_caught(english, "en")
    print_caught(korean, "ko")
    texts: dict[Language, list[str]] = {"en": read_corpus("en"), "ko": read_corpus("ko")}
    print_false_alarms(english, texts["en"], "en", arguments.examples)
    print_false_alarms(korean, texts["ko"], "ko", arguments.examples)
    print_speed(texts, [*english, *korean], arguments.rows)


if __name__ == "__main__":
    main()
