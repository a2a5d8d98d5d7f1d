"""Cut an answer into lines of a list and sentences, as a reader of English or Korean counts them.

A sentence ends at its mark or at the end of its line; the mark of a list item is no part of it.
Full stops of abbreviations, initials, decimals and numbering end none, nor does an ellipsis within
a line, nor a mark within quotes that the sentence goes on after. Linear in the text.
"""

import re

LIST_MARK = re.compile(
    r"[ \t]*(?:[-*•·–][ \t]+|(?P<number>\d{1,3})[.)][ \t]+|(?P<circle>[①-⑳])[ \t]*)(?=\S)"
)
"""What a line of a list begins with."""

_END = re.compile(r"(?<![.…!?。！？])[.!?。！？]++[\"'”’」』)\]*_]*(?=\s|(?<=[。！？]))")
_ABBREVIATION = re.compile(
    r"(?:\b(?i:mr|mrs|ms|dr|prof|st|vs|approx|fig|e\.g|i\.e)"
    # An initial stands at the start or behind a capitalised word: "J. Kim", not "vitamin C.".
    r"|(?:^|(?:^|\s)[A-Z][\w.]*\s+|\.)[A-HJ-Z]|^\d{1,3})\.$"
)
# With the name in front of it; the text before may be long, and is looked at for each mark.
_LONGEST_ABBREVIATION = 60
_GOES_ON = re.compile(
    r"\s*(?:[a-z]|(?:이?라고|이?라는|이?라며|하고|하며|하면서|하는)(?![가-힣]{3}))"
)
_HAS_CONTENT = re.compile(r"[^\W_]")


def strip_list_mark(line: str) -> str:
    """Return the line without the mark of a list item that it begins with."""
    mark = LIST_MARK.match(line)
    return line[mark.end() :] if mark else line


def split_sentences(text: str) -> list[str]:
    """Return the sentences in order, with their marks, without those that say nothing."""
    found: list[str] = []
    for line in text.splitlines():
        found += _split_line(strip_list_mark(line))
    return [sentence for sentence in found if _HAS_CONTENT.search(sentence)]


def _split_line(line: str) -> list[str]:
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(line):
        if _ends_sentence(line[start : end.end()], line[end.end() :]):
            sentences.append(line[start : end.end()].strip())
            start = end.end()
    return [*sentences, line[start:].strip()]


def _ends_sentence(before: str, after: str) -> bool:
    if before.endswith(("...", "…")) and after.strip():
        return False
    return not _ABBREVIATION.search(before[-_LONGEST_ABBREVIATION:]) and not _GOES_ON.match(after)
