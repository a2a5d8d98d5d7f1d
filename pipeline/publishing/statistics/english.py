"""What an English instruction asks for: the verb and its direct object.

The first sentence that asks decides:

- an order ("Write a short poem"), also as a polite question ("Can you write …?") or a wish with
  an infinitive ("I want you to write …"): its verb, and the head of its direct object;
- a wish ("I need a poem"): its verb and object;
- a question: its question word, ``whether`` for those answered by yes or no, and the head of the
  first noun phrase: what / capital, how / pizza. "Be" and "do" would say nothing.

The tagger was trained on web text, where sentences seldom begin with an order, and takes the Write
of "Write a poem" for a determiner. It reads orders well behind "you should", so that is where they
are read.
"""

import re
from collections.abc import Sequence
from itertools import islice

from denckring_en_pos import tagger

from pipeline.publishing.statistics.english_nouns import is_noun, singularise
from pipeline.publishing.statistics.english_words import Word, cut_sentences, find_head
from pipeline.publishing.statistics.phrasing import NOTHING, Asked, Read

# Words are easier to read than lists of strings.
# ruff: noqa: SIM905

_FRAME = ("you", "should")
_MOST_SENTENCES = 12
_WORDS_COUNTED = 400
_COUNTED = re.compile(r"[^\W_]+")
_GERUND = re.compile(r"[aeiouy].*ing$")
_ENGLISH = re.compile("[a-z]+")
_BENT = re.compile(r"[aeiouy].*ing$|[^su]s$")

_OPENERS = frozenset(
    "please now then first next finally also and just so but however ok okay hello hi".split()
)
_VERBS_IN_LY = frozenset("apply reply supply multiply rely comply imply fly".split())
"""Others in -ly that open a sentence are adverbs: briefly explain."""
_QUESTION_WORDS = frozenset("what which who whom whose when where why how".split())
_JOINING = frozenset("when where how whose who".split())
"""Question words that also open clauses of other sentences: "When you are ready, write …"."""
_DO = frozenset("do does did".split())
_YES_NO = _DO | frozenset(
    "is are was were am can could will would should may might has have had".split()
)
_POLITE = frozenset("can could will would".split())
_WISHES = frozenset("need want like wish require".split())
_PARTICLES = frozenset("up out down off together back".split())
_GIVING = frozenset("give tell show send offer teach ask bring hand lend".split())
"""Verbs with two objects, of which the second is what is asked for."""
_SUBJECTS = frozenset("i you he she we they it there".split())
_PREFACES = frozenset(
    "in on at by for from with without to of as besides among between after before during under "
    "over about into if because since while until unless although though based given per within "
    "through than once whenever assuming like".split()
)


class EnglishReader:
    """Reads English instructions, 25 µs a word."""

    def __init__(self) -> None:
        """Load the tagger, which takes 0.2 s."""
        self._tagger = tagger()

    def read(self, instruction: str) -> Read:
        """Find what is asked for; words are runs of letters and digits in lower case."""
        asked = NOTHING
        for sentence in islice(cut_sentences(instruction), _MOST_SENTENCES):
            asked = self._read_sentence(sentence)
            if asked.verb:
                break
        return Read(asked, _COUNTED.findall(instruction.lower())[:_WORDS_COUNTED])

    def _read_sentence(self, sentence: Sequence[Word]) -> Asked:
        """Read the sentence, or what follows a comma where it opens with circumstances."""
        starts = [0] + [place + 1 for place, one in enumerate(sentence) if one.text == ","]
        for start in starts:
            words = self._tag(_skip_openers(sentence[start:]))
            asked = self._read_clause(words) if words else NOTHING
            if asked.verb:
                return asked
            if words and start == 0 and not _is_preface(words[0].text):
                break
        return NOTHING

    def _tag(self, clause: Sequence[Word], frame: Sequence[str] = ()) -> list[Word]:
        texts = [one.text for one in clause if one.is_tagged]
        tags = iter(self._tagger.tag([*frame, *texts])[len(frame) :])
        return [one._replace(tag=next(tags)) if one.is_tagged else one for one in clause]

    def _read_clause(self, words: list[Word]) -> Asked:
        first, second = words[0].text, words[1].text if len(words) > 1 else ""
        asking = 1 if first in _PREFACES and second in {"what", "which", "whose"} else 0
        if words[asking].text in _QUESTION_WORDS:
            return _read_question(words[asking:], follows_preposition=bool(asking))
        if first in _POLITE and second == "you":
            return self._read_order(words[2:])
        if first in {"i", "we"}:
            return self._read_wish(words)
        if first in _YES_NO and not (first == "do" and second not in _SUBJECTS):
            return Asked("whether", _find_noun(words))
        if _is_preface(first) or _has_subject(words):
            return NOTHING
        return self._read_order(words)

    def _read_order(self, words: Sequence[Word]) -> Asked:
        """Read an order from its verb on, as if it were advice."""
        words = self._tag(_skip_openers(words), _FRAME)
        if not words:
            return NOTHING
        verb = words[0].text
        is_verb = words[0].is_a("VERB") or verb in {"do", "be"}
        if not is_verb or not _ENGLISH.fullmatch(verb) or _BENT.search(verb):
            return NOTHING
        rest = words[2:] if len(words) > 1 and words[1].text in _PARTICLES else words[1:]
        return Asked(verb, find_head(rest, gives=verb in _GIVING))

    def _read_wish(self, words: list[Word]) -> Asked:
        """Read "I need a poem", "I would like you to write a poem"."""
        for place, one in enumerate(words[1:4], start=1):
            if one.text in _WISHES:
                rest = words[place + 1 :]
                if [word.text for word in rest[:2]] == ["you", "to"]:
                    return self._read_order(rest[2:])
                is_plan = bool(rest) and rest[0].text == "to"
                return NOTHING if is_plan else Asked(one.text, find_head(rest))
            if not one.is_a("AUX", "ADV"):
                break
        return NOTHING


def _skip_openers(words: Sequence[Word]) -> Sequence[Word]:
    for place, one in enumerate(words):
        is_adverb = one.text.endswith("ly") and one.text not in _VERBS_IN_LY
        if one.kind == "word" and not is_adverb and one.text not in _OPENERS:
            return words[place:]
    return ()


def _is_preface(first: str) -> bool:
    return first in _PREFACES or first in _JOINING or bool(_GERUND.search(first))


def _has_subject(words: Sequence[Word]) -> bool:
    """Tell whether a verb of the third person follows the first noun: Tuesday mornings are."""
    for one in words[1:]:
        if one.is_a("AUX") or (one.is_a("VERB") and one.text.endswith("s")):
            return True
        if not one.is_a("NOUN", "PROPN", "ADJ") and one.kind == "word":
            return False
    return False


def _read_question(words: Sequence[Word], *, follows_preposition: bool) -> Asked:
    """Read a question; what only opens a clause is none: how you, when the bell rings."""
    follower = words[1] if len(words) > 1 else None
    turns_round = follower is not None and not follower.is_a("PRON", "DET", "PROPN")
    if words[0].text in _JOINING and not follows_preposition and not turns_round:
        return NOTHING
    return Asked(words[0].text, _find_noun(words))


def _find_noun(question: Sequence[Word]) -> str:
    """Find the head of the first noun phrase behind a question word or auxiliary."""
    words = _mend(question)
    for place in range(1, len(words)):
        noun = find_head(words[place:])
        if noun:
            return noun
    return ""


def _mend(question: Sequence[Word]) -> list[Word]:
    """Mend the tags that a question word or "does" leads the tagger to.

    It takes ice for a verb in "why does ice float", and manage for a noun in "how does a pressure
    cooker manage".
    """
    words = list(question)
    asks_which = words[0].text in {"which", "what", "whose"}
    for place in range(1, len(words)):
        one, before = words[place], words[place - 1]
        after = words[place + 1] if place + 1 < len(words) else None
        if one.is_a("VERB") and one.text not in _DO and is_noun(singularise(one.text)):
            is_asked_for = place == 1 and asks_which and after is not None and not after.is_a("DET")
            if before.text in _DO or is_asked_for:
                words[place] = one._replace(tag="NOUN")
    if words[0].text in _DO or (len(words) > 1 and words[1].text in _DO):
        _free_verb(words)
    return words


def _free_verb(words: list[Word]) -> None:
    """Take the last of the nouns behind "does" for its verb where there is no other."""
    start = 2 if words[0].text in _QUESTION_WORDS else 1
    end = start
    while end < len(words) and words[end].kind != "mark" and not words[end].is_a("NOUN", "PROPN"):
        end += 1
    first = end
    while end < len(words) and words[end].is_a("NOUN", "PROPN"):
        end += 1
    follower = words[end] if end < len(words) else None
    is_open = follower is not None and (
        follower.kind == "mark" or follower.is_possessive or follower.is_a("VERB", "ADV", "AUX")
    )
    if end - first >= 2 and not is_open:
        words[end - 1] = words[end - 1]._replace(tag="VERB|Inf")
