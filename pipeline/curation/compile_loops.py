"""Compile the loops of curation once, so that nobody's first run waits for it.

numba compiles each loop when it is first called and keeps it beside its source. Together that
takes a quarter of a minute, which ``make setup`` spends with ``python -m
pipeline.curation.compile_loops``; without it the first curation does. Curates a few records of
both languages that meet every stage.
"""

from pipeline.curation.contamination.contamination import ProtectedItem
from pipeline.curation.funnel import curate
from schemas.records import Draft, Language, Provenance, SeedTask

_TEXTS: dict[Language, tuple[str, ...]] = {
    "en": (
        "Describe how a letter travels from one town to another.",
        "Describe how a letter travels from one town to the other.",
        "Explain what a lighthouse keeper does on a quiet night.",
        "Name the months in which the river carries most water.",
    ),
    "ko": (
        "편지가 한 도시에서 다른 도시로 가는 과정을 설명해 주세요.",
        "편지가 한 도시에서 다른 도시로 가는 과정을 설명해 줘.",
        "조용한 밤에 등대지기가 하는 일을 알려 주세요.",
        "강물이 가장 많이 흐르는 달을 말해 주세요.",
    ),
}


def compile_loops() -> None:
    """Curate so that each compiled function is called with the types that it is used with."""
    drafts: list[Draft] = []
    for language, texts in _TEXTS.items():
        for position, text in enumerate((*texts, *texts)):
            # The second half repeats the outputs under other instructions: near duplicates.
            instruction = text if position < len(texts) else text[::-1]
            output = f"{text} {texts[0]} {texts[1]} {texts[2]}"
            origin = Provenance(strategy="import", teacher="", completion_id=str(position))
            drafts.append(
                Draft(instruction=instruction, output=output, language=language, provenance=origin)
            )
    seeds = [
        SeedTask(id=language, language=language, instruction=texts[3], output=texts[3])
        for language, texts in _TEXTS.items()
    ]
    protected = [ProtectedItem("item", (texts[2],), "set") for texts in _TEXTS.values()]
    curate(drafts, seeds, protected=protected)


if __name__ == "__main__":
    compile_loops()
