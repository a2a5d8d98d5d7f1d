r"""Stanford Alpaca's filters on English instructions, in their order and to the letter.

After ``post_process_gpt3_response`` in ``generate_instruction.py`` of tatsu-lab/stanford_alpaca,
for data that should compare with Alpaca's. They are crude: "List three fruits." is too short,
"Explain what a graph is." names a graph, a quotation mark in front is punctuation. The set is for
English alone, because "first character is ASCII" by itself turns 92 % of Korean prompts away;
Korean records are judged by our own rules under it. Only the instruction is looked at. The
original's last filter, ROUGE-L F1 over 0.7, is the novelty stage; an empty output, which it
accepts, the schema stage turns away. Linear in the instruction.
"""

import re
from string import punctuation

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_FEWEST_WORDS = 4
_MOST_WORDS = 150
# Plurals only where the original has them: "videos" and "diagrams" pass.
_KEYWORD = re.compile(
    r"\b(?:images?|graphs?|pictures?|files?|maps?|draw|plot|go to|video|audio|music|flowchart"
    r"|diagram)\b",
    re.IGNORECASE,
)


def _too_short(record: RecordView) -> str | None:
    count = len(record.instruction.split())
    if count >= _FEWEST_WORDS:
        return None
    return f"{count} words, under {_FEWEST_WORDS}: {quote(record.instruction)}"


def _too_long(record: RecordView) -> str | None:
    count = len(record.instruction.split())
    return f"{count} words, over {_MOST_WORDS}" if count > _MOST_WORDS else None


def _keyword(record: RecordView) -> str | None:
    found = _KEYWORD.search(record.instruction)
    return f"the instruction says {quote(found[0])}" if found else None


def _program(record: RecordView) -> str | None:
    if not record.instruction.startswith("Write a program"):
        return None
    return f"the instruction begins {quote(record.instruction)}"


def _leading_punctuation(record: RecordView) -> str | None:
    first = record.instruction[0]
    return f"the instruction begins with {quote(first)}" if first in punctuation else None


def _leading_non_ascii(record: RecordView) -> str | None:
    first = record.instruction[0]
    # The one place for isascii: it is the original's rule, and no Korean record is asked.
    return None if first.isascii() else f"the instruction begins with {quote(first)}"


ALPACA_RULES = (
    Rule(
        "instruction-too-short",
        ("en",),
        "minor",
        "Three words or fewer seldom say what is to be done.",
        _too_short,
        examples=(Example("en", "List three fruits.", "Plums."),),
        near_misses=(Example("en", "List three red fruits.", "Plums."),),
    ),
    Rule(
        "instruction-too-long",
        ("en",),
        "minor",
        "Mostly several tasks run together.",
        _too_long,
        examples=(Example("en", " ".join(["word"] * 151), "Plums."),),
        near_misses=(Example("en", " ".join(["word"] * 150), "Plums."),),
    ),
    Rule(
        "unsuitable-keyword",
        ("en",),
        "minor",
        "The word mostly asks for what a language model cannot see or make.",
        _keyword,
        examples=(Example("en", "Explain the plot of Hamlet.", "Plums."),),
        near_misses=(Example("en", "Describe the imagery in words.", "Plums."),),
    ),
    Rule(
        "write-a-program",
        ("en",),
        "minor",
        "Teachers put it before tasks of any kind, and then it is unclear whether the program or "
        "its result is wanted.",
        _program,
        examples=(Example("en", "Write a program that adds numbers.", "Plums."),),
        near_misses=(Example("en", "Write a short program that adds.", "Plums."),),
    ),
    Rule(
        "leading-punctuation",
        ("en",),
        "minor",
        "The instruction is mostly the rest of something else.",
        _leading_punctuation,
        examples=(Example("en", '"Hello" is a greeting. Translate it.', "Plums."),),
        near_misses=(Example("en", "Hello is a greeting. Translate it.", "Plums."),),
    ),
    Rule(
        "leading-non-ascii",
        ("en",),
        "minor",
        "The instruction is mostly not in English.",
        _leading_non_ascii,
        examples=(Example("en", "Éclairs are made of what?", "Plums."),),
        near_misses=(Example("en", "What are éclairs made of?", "Plums."),),
    ),
)
