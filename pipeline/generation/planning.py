"""Decide how many prompts of which language a round asks, and when a language is given up.

All of it follows from what has been folded and drawn so far, never from time or arrival, so that
the same journal gives the same rounds.
"""

import math
from collections import deque

from schemas.records import Language


class LanguagePlan:
    """How far one language is: its quota, its yield, its prompts under way."""

    def __init__(
        self, language: Language, quota: int, records_asked: int, patience: int, min_yield: float
    ) -> None:
        self.language: Language = language
        self.quota = quota
        self.admitted = 0
        self.under_way = 0
        """Prompts drawn and not folded yet."""
        self.is_given_up = False
        self._records_asked = records_asked
        self._prompts_folded = 0
        self._latest: deque[bool] = deque(maxlen=patience)
        self._min_yield = min_yield

    @property
    def is_full(self) -> bool:
        """The quota is reached."""
        return self.admitted >= self.quota

    @property
    def missing_prompts(self) -> int:
        """Prompts that should fill the quota at the yield so far, beyond those under way."""
        if self.is_full or self.is_given_up:
            return 0
        # Before the first fold every record asked for counts as one to come: asking too little at
        # first costs a round, asking too much costs money.
        per_prompt = (self.admitted + self._records_asked) / (self._prompts_folded + 1)
        wanted = math.ceil((self.quota - self.admitted) / per_prompt)
        return max(wanted - self.under_way, 0)

    def fold_prompt(self, admissions: list[bool]) -> None:
        """Account for one answered prompt with its drafts, in order."""
        self.under_way -= 1
        self._prompts_folded += 1
        self.admitted += sum(admissions)
        self._latest.extend(admissions)

    def judge_yield(self) -> None:
        """Give the language up when its latest drafts brought too little; call after a round."""
        if len(self._latest) == self._latest.maxlen and not self.is_full:
            self.is_given_up = sum(self._latest) < self._min_yield * len(self._latest)

    def describe(self) -> str:
        """Say in a few words how it stands."""
        text = f"{self.language}: {self.admitted} of {self.quota}"
        if not self.is_given_up:
            return text
        return (
            f"{text}, given up because {sum(self._latest)} of the latest {len(self._latest)} "
            "drafts were admitted"
        )


def allot(plans: list[LanguagePlan], prompt_count: int) -> list[LanguagePlan]:
    """Share a round's prompts out by what the languages miss, the neediest first.

    Returns:
        The language of each prompt in the order to ask; shorter when less is missing.
    """
    missing = [plan.missing_prompts for plan in plans]
    given = [0] * len(plans)
    order: list[LanguagePlan] = []
    while len(order) < prompt_count and given != missing:
        # D'Hondt: the next prompt goes where the most is missing per prompt given so far.
        chosen = max(range(len(plans)), key=lambda i: _claim(missing[i], given[i]))
        given[chosen] += 1
        order.append(plans[chosen])
    return order


def _claim(missing: int, given: int) -> float:
    return missing / (given + 1) if given < missing else -1.0
