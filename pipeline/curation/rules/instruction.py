"""Rules on the length of the instruction: whether it can be a task, and one task."""

import re

from pipeline.curation.rules.asking import IMPERATIVE
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView
from schemas.records import Language

# English: words. Alpaca drops up to three words, and with them good tasks ("List three fruits.").
# Korean: letters, because a particle or ending is no word of its own: "요약해 줘" is a task.
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LETTER = re.compile(r"[^\W_]")
_FEWEST: dict[Language, int] = {"en": 3, "ko": 4}
# As many from the start on; words and letters are taken whole, as in counting them.
_ENOUGH: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"(?:[\W_]*+[^\W_]++(?:['’-][^\W_]++)*+){3}"),
    "ko": re.compile(r"(?:[\W_]*+[^\W_]){4}"),
}
# Alpaca's 150 words. The Korean text of the same content has about three letters for each.
_MOST: dict[Language, int] = {"en": 150, "ko": 450}
_UNIT: dict[Language, str] = {"en": "words", "ko": "letters"}

_BARE_TASK = re.compile(
    rf"{IMPERATIVE.pattern}|\W*(?:요약|번역|교정|분류|수정|정리|해석|설명|계산|풀이|풀어|줄여|고쳐"
    rf"|바꿔|옮겨|다듬어|찾아|골라|채워|이어|읽어|써)",
    re.IGNORECASE,
)


# Words that only point at something said before, which a record does not have.
_POINTING = re.compile(
    r"(?:\W|아래|위에?|위의|이거|이걸|이것\S*|저거|저것\S*|그거|그것\S*|거기\S*|여기\S*|아무거나"
    r"|오케이|그럼|참고|부탁\S*"
    r"|다시|크게|작게|어때|거|것|네|응|계속|더|좀|빨리|얼른|그래|아니|맞아|해|줘|주세요)+"
)
_SUM = re.compile(r"\d\s*[-+*/×÷^]\s*\d")
_NAMES_NOTHING = frozenset(
    {
        "a",
        "an",
        "the",
        "this",
        "that",
        "it",
        "these",
        "those",
        "them",
        "more",
        "again",
        "please",
        "now",
        "here",
    }
    | {"something", "anything", "stuff", "me", "one", "all", "everything", "things", "some"}
)


def _too_short(record: RecordView) -> str | None:
    text = record.instruction
    if not record.input and record.language == "ko" and _POINTING.fullmatch(text):
        return f"points at nothing that is there: {quote(text)}"
    if _ENOUGH[record.language].match(text):
        return None
    count = _count(record)
    fewest = _FEWEST[record.language]
    if count >= fewest or _SUM.search(text) or _is_bare_task(record):
        return None
    return f"{count} {_UNIT[record.language]}, under {fewest}: {quote(text)}"


def _is_bare_task(record: RecordView) -> bool:
    """Tell "Summarize:" beside an input, and "Define osmosis.", from half a thought."""
    if not _BARE_TASK.match(record.instruction):
        return False
    last = record.instruction.split()[-1].strip(".,!?:;").casefold()
    named = record.language == "en" and " " in record.instruction and last not in _NAMES_NOTHING
    return bool(record.input) or named


def _too_long(record: RecordView) -> str | None:
    most = _MOST[record.language]
    if len(record.instruction) <= most:
        return None
    count = _count(record)
    return f"{count} {_UNIT[record.language]}, over {most}" if count > most else None


def _count(record: RecordView) -> int:
    pattern = _WORD if record.language == "en" else _LETTER
    return len(pattern.findall(record.instruction))


INSTRUCTION_RULES = (
    Rule(
        "instruction-too-short",
        ("en", "ko"),
        "serious",
        "Too little to tell what is to be done.",
        _too_short,
        examples=(
            Example("en", "Explain this", "It is a fruit."),
            Example("ko", "시 써", "바람이 붑니다."),
        ),
        near_misses=(
            Example("en", "List three fruits.", "Plum, pear, apple."),
            Example("ko", "요약해 줘", "붉은 과일.", input="자두는 붉은 과일이다."),
        ),
    ),
    Rule(
        "instruction-too-long",
        ("en", "ko"),
        "serious",
        "Mostly several tasks run together, or material that belongs into the input.",
        _too_long,
        examples=(
            Example("en", " ".join(["Name all the ripe fruits."] * 31), "Yes."),
            Example("ko", "붉은 과일을 모두 말하세요. " * 50, "네."),
        ),
        near_misses=(
            Example("en", " ".join(["Name all the ripe fruits."] * 30), "Yes."),
            Example("ko", "붉은 과일을 모두 말하세요. " * 40, "네."),
        ),
    ),
)
