"""The compiled inner loops of the Korean index; importing this module loads numba.

Longer than other files because loops that call each other are compiled together: first what two
texts have in common, then what tells them apart, then the search.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

# Columns of the words table.
STEM, KIND, ROLE, FIRST_UNIT, LAST_UNIT, IN_PAIRS = 0, 1, 2, 3, 4, 5
# Columns of the texts table.
FIRST_WORD, LAST_WORD, NEGATED, NUMBERS, FOREIGN, LETTERS = 0, 1, 2, 3, 4, 5
SETTINGS, ACT, QUESTIONS = 6, 7, 8
# Columns of the postings table.
RECORD, NEXT = 0, 1

NOUN, VERB, INSTEAD = 0, 1, 7
PARTED = 0.2
"""Words of nouns without a counterpart, on both sides, that make two texts differ."""
VETOED = 0.5
"""What of the similarity is left then."""
MOST_PAIRS = 100_000
"""Pairs of words whose roles are compared; texts of 300 words are no single instructions."""
SLACK = 1e-9
"""More than the rounding of a sum, less than any word weighs."""


class Store(NamedTuple):
    """All texts, one after the other; rows are only added."""

    texts: Int32s
    """``(texts, 9)``: first word, one past the last, negation, what stands for all its numbers, all
    its foreign words, all its letters and digits, and all its settings, its act and questions."""
    words: Int32s
    """``(words, 6)``: stem, kind, role, first unit, one past the last, and whether the units are
    pairs of neighbouring syllables or each stand for the word."""
    units: Int32s
    """What of a word may match: pairs of syllables, or the whole of a short or small word."""
    weights: Floats
    """By kind of word."""
    totals: Floats
    """By text the weight of its words."""


class Lists(NamedTuple):
    """Which texts have a unit among their rarest."""

    heads: Int32s
    """By unit its latest posting, -1 for none."""
    postings: Int32s
    """``(postings, 2)``: text, and the posting of the same unit before."""
    rests: Floats
    """By posting, a bound on the weight of its text that this unit and commoner ones cover."""


class Scratch(NamedTuple):
    """Room that searches write to."""

    units: Int32s
    rests: Floats
    ones: Floats
    """By word of one text the share that is covered."""
    twos: Floats
    marks: Int64s
    """By unit the stamp of the last search whose text has it."""
    others: Int64s
    """By unit 0 throughout, and left so."""
    seen: Int64s
    """By text the stamp of the last search that looked at it."""


@compiled
def covered_part(store: Store, word: int, marks: Int64s, stamp: int) -> float:
    """Return the share of a word's syllables that are in units of the other text."""
    first, last = store.words[word, FIRST_UNIT], store.words[word, LAST_UNIT]
    covered = 0
    before = False
    for unit in range(first, last):
        hit = marks[store.units[unit]] == stamp
        covered += hit or before
        before = hit
    if store.words[word, IN_PAIRS] == 0:
        return 1.0 if covered > 0 else 0.0
    return float(covered + before) / (last - first + 1)


@compiled
def cover(store: Store, text: int, marks: Int64s, stamp: int, parts: Floats) -> float:
    """Fill ``parts`` with the covered share of each word; return the weight that is covered."""
    first, last = store.texts[text, FIRST_WORD], store.texts[text, LAST_WORD]
    covered = 0.0
    for word in range(first, last):
        part = covered_part(store, word, marks, stamp)
        parts[word - first] = part
        covered += store.weights[store.words[word, KIND]] * part
    return float(covered)


@compiled
def mark_units(store: Store, text: int, marks: Int64s, stamp: int) -> None:
    """Stamp the units of a text."""
    for word in range(store.texts[text, FIRST_WORD], store.texts[text, LAST_WORD]):
        for unit in range(store.words[word, FIRST_UNIT], store.words[word, LAST_UNIT]):
            marks[store.units[unit]] = stamp


@compiled
def lost_nouns(store: Store, text: int, parts: Floats) -> float:
    """Sum what of the nouns has no counterpart, in words."""
    first = store.texts[text, FIRST_WORD]
    lost = 0.0
    for word in range(first, store.texts[text, LAST_WORD]):
        if store.words[word, KIND] == NOUN:
            lost += 1 - parts[word - first]
    return float(lost)


@compiled
def next_content(store: Store, text: int, word: int) -> int:
    """Find the first noun or verb from a word on; the end of the text where there is none."""
    last = store.texts[text, LAST_WORD]
    while word < last and store.words[word, KIND] > VERB:
        word += 1
    return word


@compiled
def swaps_one_word(store: Store, one: int, two: int, ones: Floats, twos: Floats) -> bool:
    """Tell whether two texts have other words in the same places, and are alike elsewhere."""
    start_one, start_two = store.texts[one, FIRST_WORD], store.texts[two, FIRST_WORD]
    end_one, end_two = store.texts[one, LAST_WORD], store.texts[two, LAST_WORD]
    first, second = next_content(store, one, start_one), next_content(store, two, start_two)
    swapped = False
    while first < end_one and second < end_two:
        lost_one, lost_two = ones[first - start_one] == 0.0, twos[second - start_two] == 0.0
        if lost_one != lost_two:
            return False
        if not lost_one and store.words[first, STEM] != store.words[second, STEM]:
            return False
        swapped |= lost_one
        first, second = next_content(store, one, first + 1), next_content(store, two, second + 1)
    return swapped and first == end_one and second == end_two


@compiled
def ends_lost(store: Store, text: int, parts: Floats) -> bool:
    """Tell whether the last noun or verb, mostly the verb, has no counterpart."""
    first = store.texts[text, FIRST_WORD]
    word = store.texts[text, LAST_WORD] - 1
    while word >= first and store.words[word, KIND] > VERB:
        word -= 1
    return word >= first and parts[word - first] == 0.0


@compiled
def swaps_roles(store: Store, one: int, two: int) -> bool:  # noqa: C901 - one case each
    """Tell whether two words change roles (A to B, B to A), or one is wanted here, not there."""
    old_role, new_role = 0, 0
    pairs = store.texts[one, LAST_WORD] - store.texts[one, FIRST_WORD]
    pairs *= store.texts[two, LAST_WORD] - store.texts[two, FIRST_WORD]
    if pairs > MOST_PAIRS:
        return False
    for first in range(store.texts[one, FIRST_WORD], store.texts[one, LAST_WORD]):
        role = store.words[first, ROLE]
        for second in range(store.texts[two, FIRST_WORD], store.texts[two, LAST_WORD]):
            other = store.words[second, ROLE]
            if role == other or store.words[first, STEM] != store.words[second, STEM]:
                continue
            if role == INSTEAD or other == INSTEAD:
                # 가 말고 나 is 나, 가 안 돼, but neither 나 말고 가 nor 가.
                plain = two if role == INSTEAD else one
                if store.texts[plain, NEGATED] != 1:
                    return True
                continue
            if role == 0 or other == 0:
                continue
            if role == new_role and other == old_role:
                return True
            old_role, new_role = role, other
    return False


@compiled
def says_other_things(store: Store, one: int, two: int) -> bool:
    """Tell whether two texts differ in what holds for the whole of them."""
    for column in (NUMBERS, FOREIGN, SETTINGS):
        if store.texts[one, column] != store.texts[two, column]:
            return True
    if store.texts[one, NEGATED] + store.texts[two, NEGATED] == 1:
        return True
    # One asks (1) and the other orders (2).
    if store.texts[one, ACT] + store.texts[two, ACT] == 3:
        return True
    asked, other = store.texts[one, QUESTIONS], store.texts[two, QUESTIONS]
    return asked != 0 and other != 0 and asked & other == 0


@compiled
def differs_for_sure(store: Store, one: int, two: int, ones: Floats, twos: Floats) -> bool:
    """Tell whether something says that two texts are different tasks, however alike."""
    if says_other_things(store, one, two):
        return True
    if lost_nouns(store, one, ones) > PARTED and lost_nouns(store, two, twos) > PARTED:
        return True
    if ends_lost(store, one, ones) and ends_lost(store, two, twos):
        return True
    return swaps_one_word(store, one, two, ones, twos) or swaps_roles(store, one, two)


@compiled
def compare(
    store: Store, one: int, two: int, threshold: float, scratch: Scratch, stamp: int
) -> float:
    """Return the similarity of two texts; where it is at most ``threshold``, some number as low.

    The units of the first text are stamped in ``scratch.marks``.
    """
    if store.texts[one, LETTERS] == store.texts[two, LETTERS] != 0:
        return 1.0
    ones, twos = scratch.ones, scratch.twos
    covered_two = cover(store, two, scratch.marks, stamp, twos)
    if covered_two <= threshold * store.totals[two]:
        return 0.0
    mark_units(store, two, scratch.others, stamp)
    covered_one = cover(store, one, scratch.others, stamp, ones)
    mark_units(store, two, scratch.others, 0)
    similarity = min(covered_one / store.totals[one], covered_two / store.totals[two])
    if similarity > threshold and differs_for_sure(store, one, two, ones, twos):
        return VETOED * similarity
    return similarity


@compiled
def rank_units(store: Store, text: int, units: Int32s, rests: Floats) -> int:
    """List a text's units from the rarest, and what of its weight they can cover from each on.

    Args:
        store: The texts.
        text: Which one.
        units: Gets its different units, the highest number first.
        rests: Gets for each a bound on the weight that it and the later ones cover.

    Returns:
        How many there are.
    """
    found = 0
    for word in range(store.texts[text, FIRST_WORD], store.texts[text, LAST_WORD]):
        first, last = store.words[word, FIRST_UNIT], store.words[word, LAST_UNIT]
        # A pair of syllables covers two of them; a unit that is a whole word, the word.
        share = 2.0 / (last - first + 1) if store.words[word, IN_PAIRS] else 1.0
        for unit in range(first, last):
            units[found] = store.units[unit]
            rests[found] = share * store.weights[store.words[word, KIND]]
            found += 1
    numbers, weights = units[:found].copy(), rests[:found].copy()
    count = 0
    for place in np.argsort(-numbers):
        if count > 0 and units[count - 1] == numbers[place]:
            rests[count - 1] += weights[place]
            continue
        units[count], rests[count] = numbers[place], weights[place]
        count += 1
    for place in range(count - 2, -1, -1):
        rests[place] += rests[place + 1]
    return count


@compiled
def looked_up(total: float, threshold: float, rests: Floats, count: int) -> int:
    """Return how many of the rarest units every text above the threshold shares one of."""
    least = threshold * total - SLACK
    place = 0
    while place < count and rests[place] > least:
        place += 1
    return place


@compiled
def insert(
    store: Store, text: int, threshold: float, lists: Lists, used: int, scratch: Scratch
) -> int:
    """Put a text's rarest units at the heads of their lists; return how many postings are used."""
    units, rests = scratch.units, scratch.rests
    count = rank_units(store, text, units, rests)
    for place in range(looked_up(store.totals[text], threshold, rests, count)):
        lists.postings[used, RECORD] = text
        lists.postings[used, NEXT] = lists.heads[units[place]]
        lists.rests[used] = rests[place]
        lists.heads[units[place]] = used
        used += 1
    return used


@compiled
def search(
    store: Store, text: int, threshold: float, lists: Lists, scratch: Scratch, stamp: int
) -> tuple[int, float]:
    """Find the text most similar to one above the threshold, the earliest of equals.

    Returns:
        Its row, -1 for none, and the similarity.
    """
    units, rests = scratch.units, scratch.rests
    count = rank_units(store, text, units, rests)
    mark_units(store, text, scratch.marks, stamp)
    total = store.totals[text]
    best, highest = -1, threshold
    for place in range(looked_up(total, threshold, rests, count)):
        posting = lists.heads[units[place]]
        while posting >= 0:
            record, rest = lists.postings[posting, RECORD], lists.rests[posting]
            posting = lists.postings[posting, NEXT]
            if scratch.seen[record] == stamp:
                continue
            scratch.seen[record] = stamp
            # The rarest shared unit: neither text is covered by a rarer one of its own.
            if rest + SLACK <= threshold * store.totals[record]:
                continue
            if threshold >= VETOED and says_other_things(store, text, record):
                continue
            similarity = compare(store, text, record, threshold, scratch, stamp)
            if similarity > highest or (similarity == highest and record < best):
                best, highest = record, similarity
    return best, highest


@compiled
def compare_all(
    store: Store, text: int, scratch: Scratch, stamp: int, similarities: Floats
) -> None:
    """Fill in the similarity of a text to each one that is kept."""
    mark_units(store, text, scratch.marks, stamp)
    for other in range(len(similarities)):
        similarities[other] = compare(store, text, other, 0.0, scratch, stamp)
