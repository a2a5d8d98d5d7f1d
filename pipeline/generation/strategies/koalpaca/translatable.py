"""Tell which tasks keep their point in another language.

Spelling, spacing, honorifics, rhyme, wordplay and translating live in their own language: "Fill
each gap with its or it's" has no Korean form that would still be a task. Seed tasks of the kinds
``language`` and ``translation`` are left out as a whole; tasks of other kinds, and of files that
name no kinds, where the instruction speaks of such things. Code stays.
"""

import re

from schemas.records import Language, SeedTask

_ABOUT_LANGUAGE: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:gramma\w*|spell(?:s|ed|ing|ings)?|misspel\w*|punctuat\w*|apostroph\w*|hyphenat\w*"
        r"|comma splice|(?:active|passive) voice|(?:past|present|future) tense"
        r"|(?:proper|common|collective|compound) nouns?|pronouns?|adverbs?|adjectives?"
        r"|prepositions?|plural (?:form|of)|articles? a and an|syllab\w*|rhym\w*|limericks?|haikus?"
        r"|acrostics?|acronyms?|alliterat\w*|anagrams?|palindromes?|homophones?|homonyms?|synonyms?"
        r"|antonyms?|idioms?|idiomatic|proverbs?|puns?|vowels?|consonants?|translat\w*"
        r"|plain english|(?:american|british) (?:spelling|usage|english)|language of the sentence"
        r"|(?:in|into|from|to) (?:english|korean|german|french|spanish|latin|japanese|chinese)"
        r"|the letters? [a-z]\b|first letters?)\b",
        re.IGNORECASE,
    ),
    "ko": re.compile(
        r"맞춤법|띄어\s?쓰|붙여 (?:써|쓰)|표준어|표기법|외래어|로마자|(?<!뒷)받침(?!대)|두음|높임"
        r"|사물을 높|존댓말|반말|하십시오체|하오체|합쇼체|해요체|해라체|하게체|사자성어|고사성어"
        r"|속담|관용(?:구|어|\s?표현)|한자(?!리)|한글|우리말|한국어|국어|음절|자음|모음|[이삼사오]행시"
        r"|시조(?!새)|[0-9]·[0-9]조|끝말잇기|말끝|품사|문장의 짜임|의성어|의태어|흉내말|낱말의 뿌리"
        r"|번역|영어|영문|일본어|중국어|호칭|부르는 말|촌수|판소리|어느 글자"
        # A choice of two spellings or particles: '되'와 '돼' 중, '율'인지 '률'인지.
        r"|'[가-힣]{1,3}'(?:와|과|이랑|랑|인지) '[가-힣]{1,3}'(?: 중| 가운데|인지)"
    ),
}


def is_translatable(seed: SeedTask) -> bool:
    """Tell whether a seed task is about something else than its own language."""
    if seed.task_type in ("language", "translation"):
        return False
    return _ABOUT_LANGUAGE[seed.language].search(seed.instruction) is None
