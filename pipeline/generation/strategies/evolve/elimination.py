"""When an evolution has failed: the elimination rules of Evol-Instruct (arXiv:2304.12244, 3.3).

1. The evolved task gains nothing over its parent. The paper asks the model; here the words that
   the parent lacks are counted, politeness and function words aside.
2. The answer says sorry and is short, under 80 words: the teacher could not do the task. Notices
   and letters say sorry too, so here it must also begin with that and say what is not possible.
3. The answer holds nothing but punctuation and stop words; signs such as ≥ are an answer.
4. The evolved task copies words of the evolving prompt.

A word is a run of letters or digits; in Korean, whose particles and endings stick to the word,
three syllables count as one, and two as a gain: a condition such as 냄비 없이, without a pot, has
four. Cost grows with the text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from unicodedata import category

from pipeline.generation.strategies.evolve.examples import Task
from schemas.records import TaskType

_FEWEST_NEW = 2
_NEW_SYLLABLES = 2
_SHORT_ANSWER = 80
_SYLLABLES = 3

_TOKEN = re.compile(r"[가-힣]|[^\W_가-힣]+")
# Function words, politeness, particles and endings come and go when a request is only reworded.
_IDLE = re.compile(
    r"\b(?:an?|the|this|that|these|those|then|there|they|them|their|it|its|i|me|my|we"
    r"|us|our|you|your|he|him|his|she|hers?|and|or|but|so|if|of|to|in|on|at|by|for|with"
    r"|from|as|is|are|was|were|be|been|am|do|does|did|ha(?:s|d|ve)|can|could|will|would|shall|should|may|might"
    r"|must|please|kindly|just|very|also|here|who|what|which|how)\b"
    r"|(?:해|하여)?\s?(?:주세요|주십시오|주시겠어요|줘요?|주실래요|보세요|봐요?)"
    r"|하세요|하십시오|합니다"
    r"|(?<=[가-힣])(?<!없)(?:은|는|이|가|을|를|의|에|도|로|으로|와|과|에서|입니다|이다|이에요|예요|요)(?![가-힣])"
    r"|(?<![가-힣])(?:그리고|그러나|그런데|(?:그것|이것|저것)[은는이을도의]?|그|이|저|것|수|등|및|또는|좀"
    r"|음|아)(?![가-힣])"
)
_SORRY = re.compile(r"\bsorry\b|\bapologi[sz]e\b|죄송|미안|송구", re.IGNORECASE)
_FIRST_SENTENCE = re.compile(r"\s*+[^.!?。\n]*+")
_INABILITY = re.compile(
    r"\b(?:can['’]?t|can ?not|could(?:n['’]t| not)|unable|not able|there (?:is|are) no|missing"
    r"|please (?:provide|share|send))\b|수 없|수가 없|어렵|어려[운울]|없습니다|없어요|없네요"
    r"|(?:보내|알려|올려|붙여|제공해|입력해) ?주",
    re.IGNORECASE,
)
# Tasks whose answer may decline, regret or be polite in somebody's name.
_IS_ABOUT_SORRY = re.compile(
    r"\bsorry\b|\bapolog|\bcomplain|\brefus|\bdeclin|\bdialog|\bconversation|\be-?mail|\bnotice\b"
    r"|\bletter|\bpolite|\btext message|\breply\b|사과|죄송|미안|거절|대화|공손|정중|문자"
    r"|안내문|알림|메일|편지|답장",
    re.IGNORECASE,
)
# In these an article or a pronoun may be the right answer.
_PICKS: frozenset[TaskType] = frozenset({"classification", "extraction", "language"})
_PROMPT_WORDS = re.compile(
    r"#\s*(?:the )?(?:given|rewritten|created|new) (?:prompt|task|instruction)\s*#"
    r"|\b(?:given|rewritten|created|evolved) prompt\b|\b(?:rewritten|created|evolved) task\b"
    r"|\brewritten instruction\b"
    r"|(?:주어진 (?:프롬프트|지시(?!문))|(?:다시 쓴|고쳐 쓴|실마리가 된) (?:과제|지시문?|프롬프트))"
    # A method is the evolving prompt's where it speaks of the task, as all of them do.
    r"|\A\s*+method\s*:[^.\n]*\b(?:task|condition|requirement|notions|steps|input)\b"
    r"|\A\s*+방법\s*:[^.\n]*(?:과제|조건|소재|막연|단계|input)",
    re.IGNORECASE,
)
# Marks of Markdown and of tables; other symbols, such as ≥ and 👍, answer some questions.
_NO_ANSWER = frozenset("|~`^")


def gains_nothing(evolved: Task, other: Task) -> bool:
    """Tell whether a task brings fewer than two words that the other one has not."""
    new = _count(evolved)
    new.subtract(_count(other))
    return _count_words(+new, _NEW_SYLLABLES) < _FEWEST_NEW


def quotes_prompt(evolved: Task, parent: Task) -> bool:
    """Tell whether a task speaks of prompts and rewriting as its parent does not."""
    old = "\n".join(parent).casefold()
    found = _PROMPT_WORDS.finditer("\n".join(evolved))
    return any(match[0].casefold() not in old for match in found)


def is_apology(answer: str, task: Task) -> bool:
    """Tell whether a short answer only says sorry, where the task is not about that."""
    first = _FIRST_SENTENCE.match(answer)
    if not first or not _SORRY.search(first[0]) or not _INABILITY.search(answer):
        return False
    is_short = _count_words(Counter(_TOKEN.findall(answer)), _SYLLABLES) < _SHORT_ANSWER
    return is_short and not _IS_ABOUT_SORRY.search("\n".join(task))


def says_nothing(answer: str, task_type: TaskType) -> bool:
    """Tell whether an answer that is no pick from a choice holds only marks and stop words."""
    return task_type not in _PICKS and not _count((answer,)) and not any(map(_is_symbol, answer))


def _is_symbol(character: str) -> bool:
    return category(character).startswith("S") and character not in _NO_ANSWER


def _count(texts: Sequence[str]) -> Counter[str]:
    """Count the words that carry meaning, Korean ones by syllable."""
    return Counter(_TOKEN.findall(_IDLE.sub(" ", "\n".join(texts).casefold())))


def _count_words(tokens: Counter[str], syllables: int) -> float:
    """Count words; so many Korean syllables are one."""
    korean = sum(count for token, count in tokens.items() if "가" <= token <= "힣")
    return tokens.total() - korean + korean / syllables
