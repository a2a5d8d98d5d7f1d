"""Which noun of a Korean sentence its predicate is about."""

from collections.abc import Sequence

from pipeline.publishing.statistics.korean_morphemes import Morpheme

_COUNTED = frozenset({"MM", "NR", "SN"})


def find_noun(words: Sequence[Morpheme], *, prefers_subject: bool = False) -> str:
    """Find the noun that a predicate behind these words is about.

    Args:
        words: The sentence up to its predicate, without signs.
        prefers_subject: The predicate has no object: 무엇이다, 필요하다.

    Returns:
        The noun as it is written; empty where there is none.
    """
    objects = _marked(words, {"을", "를"}, {"JKO"})
    subjects = [
        *_marked(words, {"은", "는"}, {"JX"}),
        *_marked(words, {"이", "가"}, {"JKS", "JKC"}),
    ]
    topics = _marked(words, {"만", "도"}, {"JX"})
    bare = [len(words)] if words and words[-1].is_noun else []
    orders = [subjects, objects] if prefers_subject else [objects, bare, topics, subjects]
    for places in orders:
        free = [place for place in sorted(places) if not _is_within(words, place)]
        for place in reversed(free):
            noun = _noun_before(words, place)
            if noun:
                return noun
    return ""


def join_noun(words: Sequence[Morpheme], end: int) -> tuple[str, int]:
    """Join the parts of a noun that ends before a place and is written as one word.

    Returns:
        The noun, and where it begins.
    """
    start = end
    while start and words[start - 1].is_noun and (start == end or not words[start].follows_space):
        start -= 1
    return "".join(one.form for one in words[start:end]), start


def _marked(words: Sequence[Morpheme], forms: set[str], tags: set[str]) -> list[int]:
    return [
        place
        for place, one in enumerate(words)
        if one.tag in tags and one.form in forms and place and words[place - 1].is_noun
    ]


def _is_within(words: Sequence[Morpheme], place: int) -> bool:
    """Tell whether a verb that describes a noun comes between: 쉼표를 넣는 함수."""
    for here in range(place + 1, len(words)):
        before = words[here - 1]
        is_deed = before.tag in {"VV", "XSV", "VX"}
        follower = words[here + 1].form if here + 1 < len(words) else ""
        if words[here].tag == "ETM" and is_deed and follower not in {"수", "때", "뒤", "다음"}:
            return True
        if words[here].tag == "EC":
            return False
    return False


def _noun_before(words: Sequence[Morpheme], place: int) -> str:
    """Name the noun before a particle; of 명령 한 줄 it is what is counted."""
    noun, start = join_noun(words, place)
    counts = start and words[start - 1].tag in _COUNTED
    if words[start].tag in _COUNTED:
        counts, start = True, start + 1
    if counts and start >= 2 and words[start - 2].is_noun and words[start].tag != "NP":
        return join_noun(words, start - 1)[0]
    return noun
