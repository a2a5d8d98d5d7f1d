"""Rules on how the output runs: caught in a loop, or broken off before its end."""

import re
from collections import Counter
from itertools import pairwise

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_LONGEST_LOOP = 30
_FEWEST_ROUNDS = 4
_FEWEST_LOOP_WORDS = 10
_FEWEST_SAME_WORDS = 10
_FEWEST_LOOP_NUMBERS = 16
# The least that ``_needed`` asks for is eight words that are as those before, so seven pairs.
_FEWEST_LOOP_PAIRS = 7
_FEWEST_REPEATED = 3
_FEWEST_LOOP_LETTERS = 15
_LONGEST_RUN_READ = 2000
_FEWEST_GRAMS = 8
_FEW_STEMS, _SHORT_TEXT, _FEWEST_SAID = 0.55, 40, 3
_REPEATED_EN, _REPEATED_KO = 0.4, 0.25
_SHORTEST_LINE = 4
_MARKS = ".,;:!?\"'“”‘’()[]"
_LONGEST_NUMBERING = 3
_NUMBERING = re.compile(r"\d{1,2}[.)]|[-*•·]")
_LETTER_LOOP = re.compile(r"([^\W\d_])\1{29,}|([^\W\d_]{2,20}?)\2{7,}")
_SENTENCE_END = re.compile(r"[.!?。]+\s+|\n+")
_SENTENCE_MARKS = ".!?。\n"
_FEWEST_SENTENCES = 5
_ASKS_FOR_REPETITION = re.compile(
    r"\b(?:rows? of|lines? of|repeat\w*|times|loops?|lyrics|songs?|chant|chorus|refrain|pattern"
    r"|mantra|lullaby)\b"
    r"|\b(?:alternat\w*|sequence|binary|beats?|rhythm|cheer\w*|laugh\w*|tongue twister|nursery"
    r"|conjugat\w*|times? tables?|table|grid|board|matrix|csv)\b|반복|되풀이|표로|동요|노래|가사"
    r"|후렴|번 (?:써|쓰|적|출력)|패턴",
    re.IGNORECASE,
)

_OPEN_END = re.compile(
    # A sentence goes on after these; letters may close with one ("Best regards,").
    r"(?<![\w'’-])(?:and|or|the|an|of|to|with|because|but|which|that is|such as|for example"
    r"|including"
    r"|from|by|as well as|due to|if|while|about|into|over|between|than|so|can|could|would|will"
    r"|should|may|might|must|when"
    r"|where|who|whose|whom|since|until|although|though|unless|is|are|was|were|has|have|a|its|their"
    r"|his|her|my|your|our|very|then|not|의|및|또는|그리고|하지만|그러나|또한|때문에|예를 들어"
    r"|즉|따라서|혹은|와|과)\s*$"
    r"|[가-힣](?:를|에서|으로부터|에게서|하는데|하면서|이며|지만|으며|하며|고서|려고|도록|하여"
    r"|면서|는데|은데|아서|어서|므로|니까|거나|든지|처럼|보다|까지|부터|에게|께서|으로써|을)\s*$"
    r"|(?:^|\n)\s*(?:\d{1,2}[.)]|[-*•]|[A-Z][.)]|[①-⑳])\s*$"
    r"|[,、:;(\[{–—=+]\s*$",
    re.IGNORECASE,
)
_LONGEST_OPEN_END = 40
# The first item's mark of a list that never came; "2." may be the answer to a choice.
_ENDS = frozenset(".!?。…\"”’')]}>`*_~:;|") - frozenset(":;")
_LAST_SENTENCE = re.compile(r"(?<=[.!?。])[\"”’)]*\s+")
_KOREAN_END = re.compile(r"(?:[다요까죠네음함임됨짐기오라자지걸게군]|습니다)$")
_ITEM = re.compile(r"(?:\d{1,2}[.)-]|[-*•]|[A-Z][.)])\s")
# Searched for in the output with a line end before it: a search for "^" stops at each letter.
_CODE_LINE = re.compile(
    r"\n[ \t]*(?:def |class |import |from \w+ import|function\b|const |let |var |for \(|while \("
    r"|if \(|with \w+\(|return\b"
    r"|public |private |#include|<\?php|<!DOCTYPE|</|<html|SELECT |INSERT |UPDATE |CREATE )"
)
_OPEN_CODE = re.compile(
    r"(?:=>|\b(?:BY|FROM|WHERE|AND|OR|SELECT|JOIN|ON|SET|return|in|import|and|or|def|class|new)"
    r"|[-+*/=,(\[{.&|]|\([^()]*\([^()]*\)?|\([^()]*)\s*$"
)
_LONGEST_VERSE = 60
_SHORT_ENTRY = 12
_LONG_PROSE = 110
_WORDS_A_COMMA = 6
_LAST_MARK = re.compile(r"\d{1,2}[.)]|[-*•]|[A-Z][.)]|[①-⑳]")
_BARE_MARK = re.compile(r"1[.)]|[-*•]")
_CODE_SIGN = re.compile(r"[{};=#\\|(](?:(?<!\()|(?<=\w\())")
_FEWEST_OPEN_WORDS = 5
_FEWEST_BEFORE_COLON = 3
_CLOSING_LINE = re.compile(
    r"(?:regards|sincerely|you|soon|best|thanks|thank you|yours|truly|faithfully|love|cheers"
    r"|wishes)\s*,$",
    re.IGNORECASE,
)


def _repetitive(record: RecordView) -> str | None:
    words = record.output_words
    letters = None
    if record.longest_output_word > _FEWEST_LOOP_LETTERS:
        letters = _find_letter_loop(words)
    if letters:
        found = f"{quote(letters)} repeats without end"
    else:
        found = _find_return(record.output, words) if _comes_back(record) else None
    return None if found and _ASKS_FOR_REPETITION.search(record.task_text) else found


def _comes_back(record: RecordView) -> bool:
    """Tell texts in which words follow each other again: without these there is no loop."""
    words = record.output_words
    stems = words
    if not record.output.isascii() and max(words) >= "가":
        stems = [word[:2] for word in words]
    fewest = _FEWEST_REPEATED if stems is words else 2
    return _count_repeated_pairs(stems) >= fewest or len({*words}) * 2 < len(words)


def _count_repeated_pairs(words: list[str]) -> int:
    return max(0, len(words) - 1) - len({*pairwise(words)})


def _find_return(output: str, words: list[str]) -> str | None:
    bare = [
        word.strip(_MARKS)
        for word in words
        if len(word) > _LONGEST_NUMBERING or not _NUMBERING.fullmatch(word)
    ]
    said = [word for word in bare if word]
    if _count_repeated_pairs(said) >= _FEWEST_LOOP_PAIRS and (loop := _find_loop(said)):
        return f"the output goes round in {quote(loop)}"
    return _find_repeated_lines(output) or _find_refrain(output) or _find_rounds(bare)


def _find_letter_loop(words: list[str]) -> str | None:
    """Find a letter or group of letters that repeats without white space."""
    for word in words:
        if len(word) > _FEWEST_LOOP_LETTERS:
            found = _LETTER_LOOP.search(word[:_LONGEST_RUN_READ])
            if found:
                return found[1] or found[2]
    return None


def _find_loop(words: list[str]) -> str | None:
    """Find words that follow themselves four times or more, ten words at least in all.

    A word that comes back after ``period`` words is looked for at its last places alone, so the
    cost is that of the words and not of all periods.
    """
    runs: dict[int, int] = {}
    places: dict[str, int] = {}
    for place, word in enumerate(words):
        before = places.get(word)
        places[word] = place
        if before is None:
            runs = {}
            continue
        continued = {
            period: length + 1 for period, length in runs.items() if words[place - period] == word
        }
        if place - before <= _LONGEST_LOOP:
            continued.setdefault(place - before, 1)
        runs = continued
        for period, length in runs.items():
            if length >= _needed(period):
                unit = words[place - period + 1 : place + 1]
                if _is_loop(unit, length):
                    return " ".join(unit)
    return None


def _needed(period: int) -> int:
    fewest = _FEWEST_SAME_WORDS if period == 1 else _FEWEST_LOOP_WORDS
    return max(period * (_FEWEST_ROUNDS - 1), fewest - period)


def _is_loop(unit: list[str], length: int) -> bool:
    if any(character.isalpha() for word in unit for character in word):
        return True
    return len(unit) > 1 and len({*unit}) > 1 and length >= _FEWEST_LOOP_NUMBERS


def _find_repeated_lines(output: str) -> str | None:
    lines = output.splitlines()
    if len(lines) < _FEWEST_SENTENCES:
        return None
    lines = [line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE]
    if len(lines) < _FEWEST_SENTENCES:
        return None
    line, count = Counter(lines).most_common(1)[0]
    return (
        f"{count} lines are {quote(line)}"
        if count >= _FEWEST_SENTENCES and count * 2 > len(lines)
        else None
    )


def _find_refrain(output: str) -> str | None:
    """Find at least five sentences of three words or more of which half were there before."""
    if sum(map(output.count, _SENTENCE_MARKS)) < _FEWEST_SENTENCES - 1:
        return None
    sentences = [" ".join(part.split()).casefold() for part in _SENTENCE_END.split(output)]
    sentences = [sentence for sentence in sentences if sentence.count(" ") >= 2]
    if len(sentences) < _FEWEST_SENTENCES:
        return None
    counts = Counter(sentences)
    if (len(sentences) - len(counts)) * 2 < len(sentences) - 1:
        return None
    sentence, count = counts.most_common(1)[0]
    return f"{count} of {len(sentences)} sentences are {quote(sentence)}"


def _find_rounds(words: list[str]) -> str | None:
    """Find a text most of whose words have been there before in the same order.

    Four in a row; of Korean words three and by their stems, as endings change with the clause.
    """
    stems = [word[:2] if word >= "가" else word for word in words if word]
    is_korean = sum(word >= "가" for word in stems) * 2 > len(stems)
    size, share = (3, _REPEATED_KO) if is_korean else (4, _REPEATED_EN)
    grams = [*zip(*(stems[place:] for place in range(size)), strict=False)]
    if len(grams) < _FEWEST_GRAMS:
        return None
    if is_korean and _says_little(words, stems):
        return f"the output says the same again: {quote(' '.join(words))}"
    if len(grams) - len({*grams}) < share * len(grams):
        return None
    return f"the output comes back to {quote(' '.join(Counter(grams).most_common(1)[0][0]))}"


def _says_little(words: list[str], stems: list[str]) -> bool:
    sentences = sum(word.endswith(("다", "요")) for word in words)
    few = len(stems) < _SHORT_TEXT and len({*stems}) <= _FEW_STEMS * len(stems)
    return few and sentences >= _FEWEST_SAID


def _unfinished(record: RecordView) -> str | None:
    output = record.output
    last_line = output.rsplit("\n", 1)[-1].strip()
    if "```" in output and output.count("```") % 2:
        return "a block of code is never closed"
    if len(last_line) < 4 and _is_bare_mark(output, last_line):
        return "the last item of the list is its mark alone"
    if _is_code(output, last_line):
        return _find_open_code(output)
    if _lacks_cells(output, last_line):
        return f"the table or list breaks off at {quote(last_line)}"
    if last_line[-1:] in _ENDS or (last_line[-1:] == "," and _CLOSING_LINE.search(last_line)):
        return None
    fewest = _FEWEST_BEFORE_COLON if last_line[-1:] == ":" else _FEWEST_OPEN_WORDS
    if len(record.output_words) < fewest or len(output) < 4 * fewest:
        return None
    if _OPEN_END.search(output, max(0, len(output) - _LONGEST_OPEN_END)) or _breaks_off(
        output, last_line
    ):
        return f"the output breaks off at {quote(output[-40:])}"
    return None


def _lacks_cells(output: str, last_line: str) -> bool:
    """Tell a last row or entry that has less than those above it."""
    lines = output.splitlines()
    if len(lines) < 3:
        return False
    above = [line.strip() for line in lines if line.strip()][-3:-1]
    if len(above) < 2:
        return False
    if last_line[0] == "|":
        cells = [line.count("|") for line in above]
        return all(line[0] == "|" for line in above) and last_line.count("|") < min(cells)
    return (
        len(last_line) < _SHORT_ENTRY
        and _ITEM.match(last_line) is not None
        and ":" not in last_line
        and all(_ITEM.match(line) and ":" in line for line in above)
    )


def _is_bare_mark(output: str, last_line: str) -> bool:
    """Tell a list item that never came; "2." by itself may be the answer to a choice."""
    mark = _BARE_MARK if output == last_line else _LAST_MARK
    return mark.fullmatch(last_line) is not None


def _is_code(output: str, last_line: str) -> bool:
    return bool(
        _CODE_SIGN.search(last_line) or ("`" not in output and _CODE_LINE.search(f"\n{output}"))
    )


def _find_open_code(output: str) -> str | None:
    """Find code whose last line ends in an operator, or whose last line leaves a bracket open."""
    last_line = output.rsplit("\n", 1)[-1]
    if not _CODE_LINE.search(f"\n{output}") or not _OPEN_CODE.search(last_line):
        return None
    return f"the code breaks off at {quote(output[-40:])}"


def _breaks_off(output: str, last_line: str) -> bool:
    """Tell a last sentence without its end, where the ones before it have theirs."""
    if not last_line[-1].isalpha() or len(last_line.split()) < _FEWEST_OPEN_WORDS:
        return False
    others = [line.strip() for line in output.splitlines()[:-1] if line.strip()]
    if _ITEM.match(last_line):
        items = [line for line in others if _ITEM.match(line)]
        return len(items) > 1 and all(line[-1] in ".?!。" for line in items)
    *before, last = _LAST_SENTENCE.split(last_line)
    if "가" <= last_line[-1] <= "힣":
        return bool(before) and " " in last and "/" not in last and not _KOREAN_END.search(last)
    if before:
        return last[0].isupper() and last.split()[-1][0].islower() and "http" not in last
    if others:
        return len(last_line) > _LONGEST_VERSE and all(line[-1] in _ENDS for line in others)
    last_word = last_line.split()[-1]
    return (
        len(last_line) > _LONG_PROSE
        and last_line[0].isupper()
        and last_word.islower()
        and '"' not in last_line
        and last_line.count(",") * _WORDS_A_COMMA < last_line.count(" ")
    )


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
