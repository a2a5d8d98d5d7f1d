"""Rules on how the output runs: caught in a loop, or broken off before its end."""

import re
from collections import Counter

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_LONGEST_LOOP = 30
_FEWEST_ROUNDS = 4
_FEWEST_LOOP_WORDS = 12
_LETTER_LOOP = re.compile(r"([^\W\d_])\1{29,}|([^\W\d_]{2,20}?)\2{7,}")
_SENTENCE_END = re.compile(r"[.!?。]+\s+|\n+")
_FEWEST_SENTENCES = 5
_ASKS_FOR_REPETITION = re.compile(
    r"\b(?:repeat\w*|times|loops?|lyrics|songs?|chant|chorus|refrain|pattern|mantra|lullaby)\b"
    r"|반복|되풀이|노래|가사|후렴|번 (?:써|쓰|적|출력)|패턴",
    re.IGNORECASE,
)

_OPEN_END = re.compile(
    # A sentence goes on after these; letters may close with one ("Best regards,").
    r"(?<![\w-])(?:and|or|the|an|of|to|with|because|but|which|that is|such as|for example|including"
    r"|from|by|as well as|due to|if|while|의|및|또는|그리고|하지만|그러나|또한|때문에|예를 들어"
    r"|즉|따라서|혹은|와|과)\s*$"
    r"|[가-힣](?:를|에서|으로부터|에게서|하는데|하면서|이며)\s*$"
    r"|(?:^|\n)\s*(?:\d{1,2}[.)]|[-*•])\s*$"
    r"|[,、:(\[{–—]\s*$",
    re.IGNORECASE,
)
# The first item's mark of a list that never came; "2." may be the answer to a choice.
_BARE_MARK = re.compile(r"1[.)]|[-*•]")
_CODE_SIGN = re.compile(r"[{};=#\\|]|\w\(")
_FEWEST_OPEN_WORDS = 5
_FEWEST_OPEN_LETTERS = 20
_CLOSING_LINE = re.compile(
    r"(?:regards|sincerely|best|thanks|thank you|yours|truly|faithfully|love|cheers|wishes)\s*,$",
    re.IGNORECASE,
)


def _repetitive(record: RecordView) -> str | None:
    if _ASKS_FOR_REPETITION.search(record.task_text):
        return None
    letters = _LETTER_LOOP.search(record.output)
    if letters:
        return f"{quote(letters[1] or letters[2])} repeats without end"
    loop = _find_loop(record.output.casefold().split())
    if loop:
        return f"the output goes round in {quote(loop)}"
    return _find_refrain(record.output)


def _find_loop(words: list[str]) -> str | None:
    """Find words that follow themselves four times or more, twelve words at least in all."""
    for period in range(1, min(_LONGEST_LOOP, len(words) // _FEWEST_ROUNDS) + 1):
        needed = max(period * (_FEWEST_ROUNDS - 1), _FEWEST_LOOP_WORDS - period)
        run = 0
        for place in range(period, len(words)):
            run = run + 1 if words[place] == words[place - period] else 0
            unit = words[place - period + 1 : place + 1]
            if run >= needed and any(character.isalpha() for word in unit for character in word):
                return " ".join(unit)
    return None


def _find_refrain(output: str) -> str | None:
    """Find a sentence of three words or more that makes up half of at least five sentences."""
    sentences = [" ".join(part.split()).casefold() for part in _SENTENCE_END.split(output)]
    sentences = [sentence for sentence in sentences if sentence.count(" ") >= 2]
    if len(sentences) < _FEWEST_SENTENCES:
        return None
    sentence, count = Counter(sentences).most_common(1)[0]
    if count * 2 < len(sentences):
        return None
    return f"{count} of {len(sentences)} sentences are {quote(sentence)}"


def _unfinished(record: RecordView) -> str | None:
    output = record.output
    if output.count("```") % 2:
        return "a block of code is never closed"
    if _BARE_MARK.fullmatch(output):
        return "the output is the mark of a list item without the item"
    long_enough = len(output.split()) >= _FEWEST_OPEN_WORDS and len(output) >= _FEWEST_OPEN_LETTERS
    last_line = output.rsplit("\n", 1)[-1]
    if not long_enough or _CLOSING_LINE.search(output) or _CODE_SIGN.search(last_line):
        return None
    if not _OPEN_END.search(output):
        return None
    return f"the output breaks off at {quote(output[-40:])}"


ENDING_RULES = (
    Rule(
        "repetitive-output",
        ("en", "ko"),
        "fatal",
        "The teacher fell into a loop, and the student would learn to.",
        _repetitive,
        examples=(
            Example("en", "Describe a plum to me.", "It is very good. " * 8),
            Example("ko", "자두를 묘사하세요.", "자두는 맛이 아주 좋습니다. " * 6),
        ),
        near_misses=(
            Example("en", "Write the refrain of a song.", "Row, row, row your boat. " * 6),
            Example("ko", "노래의 후렴을 쓰세요.", "아리랑 아리랑 아라리요 " * 6),
        ),
    ),
    Rule(
        "unfinished-output",
        ("en", "ko"),
        "serious",
        "Breaks off in mid-sentence, so the student would learn to stop anywhere.",
        _unfinished,
        examples=(
            Example("en", "Describe a plum to me.", "It is a round red fruit with a stone and"),
            Example("ko", "도시에 얽힌 우스갯소리를 열 가지 쓰세요.", "-"),
        ),
        near_misses=(
            Example(
                "en",
                "Close a letter to a friend.",
                "I hope to see you soon in our garden.\n\nBest regards,",
            ),
            Example(
                "ko", "인사말을 쓰세요.", "오늘도 저희 가게를 찾아 주셔서 진심으로 감사드립니다"
            ),
        ),
    ),
)
