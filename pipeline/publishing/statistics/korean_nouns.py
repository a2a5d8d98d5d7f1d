"""Which noun of a Korean sentence its predicate is about.

Verbs take the nearest object before them that no other verb has taken, also those of clauses
within: of 문장을 뜻을 살려 고치다, 살리다 takes 뜻 and leaves 문장. Where nothing is left, the object of
the clause before is shared: 초성을 뽑아 적다.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.publishing.statistics.korean_morphemes import Morpheme

# Hangul is counted as two columns wide, and words are easier to read than lists of strings.
# ruff: noqa: SIM905, E501

_NUMERALS = frozenset("한 두 세 네 서 너 석 넉 다섯 여섯 일곱 여덟 아홉 열 몇 여러".split())
_SPEAKERS = frozenset("나 저 너 당신 우리 저희 여러분".split())
_ASKING = frozenset("ᆫ지 는지 은지 ᆯ지 을지 던지 ᆫ가 는가".split())
"""Endings of clauses that ask, which are no clauses of their own here: 얼마인지 계산하다."""


class _Objects(NamedTuple):
    free: list[int]
    """Places of particles behind objects that no verb before the predicate takes."""
    shared: list[int]
    """Of those that a verb of a clause before has taken, the latest last."""
    taken: list[int]
    """Of those that a verb within a noun phrase seems to have taken."""
    clause: int
    """Where the predicate's own clause begins."""


def find_noun(words: Sequence[Morpheme], *, prefers_subject: bool = False) -> str:
    """Find the noun that a predicate behind these words is about.

    Args:
        words: The sentence up to its predicate, without signs.
        prefers_subject: The predicate has no object: 무엇이다, 필요하다.

    Returns:
        The noun as it is written; empty where there is none.
    """
    objects = _share_out(words)
    topics = _marked(words, "은는", {"JX"})
    subjects = _marked(words, "이가", {"JKS", "JKC"})
    if prefers_subject:
        orders = [topics, subjects, objects.free]
    else:
        bare = _find_bare(words)
        own = [place for place in _marked(words, "만도", {"JX"}) if place >= objects.clause]
        subject = [place for place in subjects if place >= objects.clause]
        orders = [objects.free, bare, own, topics, subject, objects.shared, objects.taken]
    for places in orders:
        for place in reversed(places):
            noun = _noun_before(words, place)
            if noun:
                return noun
    return ""


def join_noun(words: Sequence[Morpheme], end: int) -> tuple[str, int]:
    """Join what is written as one word and ends before a place.

    Returns:
        The noun, and where it begins.
    """
    start = end - 1
    while start > 0 and not words[start].follows_space and not words[start - 1].is_particle:
        start -= 1
    if not words[start].is_noun and words[end - 1].is_noun and words[start].tag != "MM":
        # Bent words before it, as in 높임법, are written as they sound.
        return words[end - 1].word[: words[end - 1].end_in_word], start
    return "".join(one.form for one in words[start:end]), start


def _marked(words: Sequence[Morpheme], forms: str, tags: set[str]) -> list[int]:
    return [
        place
        for place, one in enumerate(words)
        if place and one.tag in tags and one.form in forms and words[place - 1].is_nominal
    ]


def _find_bare(words: Sequence[Morpheme]) -> list[int]:
    """Find the end of a noun without a particle right before the predicate or its adverbs."""
    end = len(words)
    while end and words[end - 1].tag == "MAG":
        end -= 1
    return [end] if end and words[end - 1].is_noun else []


def _share_out(words: Sequence[Morpheme]) -> _Objects:
    objects = frozenset(_marked(words, "을를", {"JKO"}))
    found = _Objects([], [], [], 0)
    for place, one in enumerate(words):
        if place in objects:
            found.free.append(place)
        elif one.tag in {"VV", "XSV"}:
            ending = _ending_of(words, place)
            if ending is None or ending.form in _ASKING:
                continue
            taken = found.taken if ending.tag == "ETM" else found.shared
            if found.free:
                taken.append(found.free.pop())
            if ending.tag == "EC":
                found = found._replace(clause=place)
    return found


def _ending_of(words: Sequence[Morpheme], place: int) -> Morpheme | None:
    """Find the last ending of a verb, behind its auxiliaries: 붙여 주는 ends as 주는 does."""
    ending = None
    for one in words[place + 1 :]:
        if one.tag in {"EC", "ETM"}:
            ending = one
        elif not (one.tag in {"EP", "VX", "JX"} or one.form in {"수", "있"}):
            break
    return ending


def _noun_before(words: Sequence[Morpheme], place: int) -> str:
    """Name the noun before a particle; of 명령 한 줄 it is what is counted."""
    if words[place - 1].form == "들" and words[place - 1].tag == "XSN" and place > 1:
        place -= 1  # the plural
    if words[place - 1].form in _SPEAKERS:
        return ""
    noun, start = join_noun(words, place)
    number = start if words[start].tag in {"NR", "SN"} else start - 1
    counts = number >= 0 and (words[number].tag in {"NR", "SN"} or words[number].form in _NUMERALS)
    if counts and number > 0 and words[number - 1].is_noun:
        return join_noun(words, number)[0]
    return noun
