"""The rule on instructions and outputs that no reader could make sense of.

What the task itself shows or asks for (a cipher, a password, a made-up word) passes, and so does
code. Of each text the first characters are read, in linear time. Sentences of sound grammar and
void of sense ("the Tuesday swims louder than eleven") are out of reach without a reader.

Tried and dropped: trigram likelihoods of syllables for Korean salad (no better than particle
counts, with a table of 40 kB).
"""

import re

from pipeline.curation.rules.keyboard import find_mash, is_rows
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.salad_en import find_english_salad
from pipeline.curation.rules.salad_ko import find_korean_salad
from pipeline.curation.rules.view import RecordView

_LONGEST_READ = 500
"""Characters: noise that begins later is a matter of endings, and of other rules."""
_ANY_WORD = re.compile(r"[^\W\d_]|\d")
_JAMO_INPUT = re.compile(r"(?:[ㄱ-ㅣ\s;]){10,}")
_OTHER_LANGUAGE = (
    r"(?:french|spanish|german|italian|latin|portuguese|dutch|swahili|indonesian|malay|korean"
    r"|japanese|welsh|polish|turkish|finnish|swedish|english)"
)
_ASKS_FOR_IT = re.compile(
    r"\b(?:cipher|encod\w*|decod\w*|encrypt\w*|decrypt\w*|passwords?|hash\w*|random\w*|unscrambl\w*"
    r"|scrambl\w*|anagrams?|base64|rot-?13|tokens?|gibberish|nonsens\w*|morse|made-up|fictional"
    r"|invent\w*|onomatop\w*|sounds?|alien|constructed|keyboard|typing|palindromes?|revers\w*"
    r"|backwards?|regex|acronyms?|abbreviat\w*|ipa|phonetic|spell|tongue twister|letters|jumbl\w*"
    r"|translate|lorem|emoji|ascii|captcha|uuid|serial|mojibake"
    r"|(?:api|product|licen[cs]e|private|public|secret) keys?|symbols?|pattern|divider|censor"
    r"|separator|word salad|notation|surreal|romani[sz]\w*|dada\w*|absurd"
    rf"|(?:in|into|to|from) {_OTHER_LANGUAGE}|{_OTHER_LANGUAGE} (?:words?|names?|phrases?"
    r"|sentences?|terms?|verbs?|nouns?|text|language|translations?|equivalents?|proverbs?|greetings?))\b"
    r"|암호|복호|비밀번호|무작위|랜덤|뜻 ?없|의미 ?없|의성어|의태어|거꾸로|뒤집|초성|자판|키보드"
    r"|타자|난수"
    r"|글자 ?배열|애너그램|해독|모스|외계|지어낸|신조어|이모티콘|자음|모음|아무 ?말|번역|기호|무늬"
    r"|조사|어미|프랑스어|독일어|스페인어|영어|라틴어|끝말잇기",
    re.IGNORECASE,
)
_ASKS_FOR_KEYS = re.compile(
    r"\b(?:keyboards?|typing|cipher|gibberish|nonsens\w*|qwerty)\b|자판|키보드|타자", re.IGNORECASE
)


def _nonsense(record: RecordView) -> str | None:
    instruction = record.instruction[:_LONGEST_READ]
    if not _ANY_WORD.search(instruction):
        return f"the instruction has no word: {quote(instruction)}"
    if record.input and _JAMO_INPUT.fullmatch(record.input):
        return f"the input is loose letters: {quote(record.input)}"
    found = _find_noise(instruction, record, "instruction")
    if found:
        return f"the instruction {found}"
    output = record.output_prose[:_LONGEST_READ]
    found = _find_noise(output, record, "output")
    if found is None:
        return None
    wanted = _ASKS_FOR_KEYS if is_rows(output) else _ASKS_FOR_IT
    return None if wanted.search(instruction) else f"the output {found}"


def _find_noise(text: str, record: RecordView, part: str) -> str | None:
    found = find_mash(text, record, part)
    if found:
        return found
    given = record.task_text if part == "output" else ""
    if record.language == "ko" and not text.isascii():
        return find_korean_salad(text, given, record.instruction if part == "output" else "")
    return find_english_salad(text, given)


NONSENSE_RULES = (
    Rule(
        "nonsense",
        ("en", "ko"),
        "fatal",
        "No reader could make sense of it, so there is nothing to learn but noise.",
        _nonsense,
        examples=(
            Example("en", "Name a red fruit.", "asdkjh qwoeiu zxcmn"),
            Example("ko", "붉은 과일을 말하세요.", "ㅁㄴㅇㄹ ㅂㅈㄷㄱ ㅁㄴㅇ라ㅓㅣ"),
        ),
        near_misses=(
            Example("en", "Decode this ROT13 message.", "hello world", input="uryyb jbeyq"),
            Example("ko", "친구에게 답장하세요.", "ㅋㅋㅋㅋㅋㅋ 내일 보자 ㅠㅠㅠㅠ"),
        ),
    ),
)
