"""The rule on text without meaning: a hand on the keyboard, shaken words, marks and nothing else.

Meaning cannot be checked by patterns; what can be is that people never write so. Letters: pairs
that no English word has, rows of keys, Hangul jamo and syllables outside KS X 1001. Words: pairs
such as "the of" that no sentence has, chains without one word of grammar, particles without a
noun. What the task itself shows or asks for (a cipher, a password, a made-up word) passes, and so
does code. Each reading is linear in the text, of which the first 4,000 characters are read.

Tried and dropped: the share of vowels (misses "qwoeiu", stops "rhythms"), and trigram likelihoods
of syllables for Korean salad (no better than particle counts, with a table of 40 kB).
"""

import re
from itertools import pairwise, product

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView, holds_any

_LONGEST_READ = 4000
# Letters that follow the first of each group in no word of 12,000 (English instructions, their
# inputs and outputs) that was seen three times.
_NEVER_NEXT = (
    "bfghkqvwxz cfgjnvwxz dfkqxz fbcdghjkmnpqsvwxz gcfjkqvwxz hbcfghjkvwxz jbcdfghjklmnpqrtvwxyz "
    "kdghjkmpqvwxz lhjqxz mdghjkqrvwxz nqwz pfgjknqvwxz qabcdefghijklmnoprstvwxyz rjqx sgjvxz "
    "tjkqvx vbcdfhjklmnpqrstuvwxyz wbcfgjkmpquvxz xbdfghjklmnoqrsuvwz yghjkquvx "
    "zbcdfghjkmnpqrstvwx"
)
_ODD_PAIRS = frozenset(group[0] + letter for group in _NEVER_NEXT.split() for letter in group[1:])
_KEY_ROWS = tuple(
    row[start : start + 4]
    for keys in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for row in (keys, keys[::-1])
    for start in range(len(row) - 3)
    if row[start : start + 4] not in ("wert", "erty", "trew", "tyui", "uiop", "poiu", "ytre")
)
# Any mashed word has one of these: an odd pair, or "uy" of the upper row read backwards.
_HINTS = frozenset(map(tuple, _ODD_PAIRS)) | {("u", "y")}
_LATIN_WORD = re.compile(r"(?<![\w@./:\\#-])[a-zA-Z]{4,}(?![\w@\\/=(])")
_LETTER_RUN = re.compile(r"([^\W\d_])\1{5,}")
_MARK_RUN = re.compile(r"([!?;:~#$%^&@,])\1{7,}|[!@#$%^&*?~;:,./\\{}\[\]<>]{12,}")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_JAMO_MASH = re.compile(r"[ㄱ-ㅣ;]{4,}|[가-힣]?[ㄱ-ㅣ]{2,}[가-힣][ㄱ-ㅣ]+")
_SYMBOL = re.compile(r"[!@#$%^&*?~()+{}<>]")
_JAMO_INPUT = re.compile(r"(?:[ㄱ-ㅣ\s;]){10,}")
_LAUGHTER = re.compile(r"[ㅋㅎㅠㅜㅡㄷㅇㄴㄱ]+")
_HANGUL_WORD = re.compile(r"[가-힣]+")


_DETERMINERS = frozenset("the an my your our their every".split())  # noqa: SIM905
_AFTER_NO_DETERMINER = frozenset(
    "and or but of to when because then is are was were has have she they we from until with by at "  # noqa: SIM905
    "him them does did been into than unless which who whom why where my your our their".split()
)
_PREPOSITIONS = frozenset("of from into during between".split())  # noqa: SIM905
_AFTER_NO_PREPOSITION = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "of",
        "and",
        "or",
        "then",
        "has",
        "have",
        "had",
        "will",
        "he",
        "she",
        "they",
    ]
)
_ALONE = frozenset("because unless although".split())  # noqa: SIM905
_AFTER_NO_CONJUNCTION = frozenset("to is are was were and or but will has".split())  # noqa: SIM905
_COPULAS = frozenset("is are was were".split())  # noqa: SIM905
_AFTER_NO_COPULA = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "does",
        "do",
        "did",
        "will",
        "would",
        "suggests",
        "says",
        "goes",
        "when",
    ]
)
_NUMBERS = frozenset(
    [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "seventeen",
    ]
)
_AFTER_NO_A = frozenset({"which", "than", "from", "were", "have", "of", "they"})
_DEGREES = frozenset("very too".split())  # noqa: SIM905
_GRAMMAR = (
    _DETERMINERS
    | _AFTER_NO_DETERMINER
    | _PREPOSITIONS
    | frozenset(
        "a in on as not no this that these those you i me us his her its what how do can could "  # noqa: SIM905
        "will would should may must all each some any there here so too very more most one please"
        " he it "
        "if for be vs like only let go don isn".split()
    )
)
_CLASHES = frozenset(
    pair
    for firsts, seconds in (
        (_DETERMINERS, _AFTER_NO_DETERMINER),
        (_PREPOSITIONS, _AFTER_NO_PREPOSITION),
        (_ALONE, _AFTER_NO_CONJUNCTION),
        (_COPULAS, _AFTER_NO_COPULA),
        (frozenset({"a"}), _AFTER_NO_A),
        (_DEGREES, _COPULAS),
        (_NUMBERS, frozenset({"quickly", "slowly", "softly", "loudly", "happily"})),
    )
    for pair in product(firsts, seconds)
)
_PARTICLE_END = re.compile(
    r"(?:은|는|이|가|을|를|에|의|로|도|만|과|와|서|게|고|며|면|다|요|까|죠|네|지|어|아|여|해|한|할"
    r"|된|될|던"
    r"|인|니|려|러|라|자|세|오|줘|줄|써|란|께|히|적|한테|부터|까지|처럼|보다|마다|든지|든|듯|것|수"
    r"|때|번|개|명"
    r"|년|월|일|원|법|점|중|대한|위한|및)$"
)
_PARTICLE_ONLY = re.compile(
    r"(?:은는|을를|이가|으로써|으로서|에서의?|에게서?|부터|까지|처럼|만큼|조차|마저|한테|보다"
    r"|에서부터"
    r"|은커녕|이나마|라도|이라도|의에서|하고|는은|가이|를을|로서|로써|밖에|든지|은|는|을|를)+"
)
_BEGIN_PARTICLES = frozenset("은는이가을를으에부까처만조한보의하로라밖든")
_DOUBLES = (
    *(
        "을를",
        "은는",
        "이를가",
        "를이가",
        "을이",
        "를은",
        "을은",
        "를가",
        "를에",
    ),
    *(
        "을에",
        "는을",
        "는를",
        "가를",
        "에를",
        "에을",
        "의를",
        "의을",
        "은을",
    ),
    *(
        "은에서",
        "는에서",
        "가에서",
        "를에서",
        "을에서",
        "이가를",
        "에서을",
        "에서이",
        "로를",
    ),
    *(
        "로을",
        "에가",
        "의가",
        "를의",
        "을의",
        "의은",
        "의는",
        "와를",
        "와을",
    ),
)
_DOUBLED_PARTICLE = re.compile(rf"[가-힣](?:{'|'.join(_DOUBLES)})(?![가-힣])")
_ASKS_FOR_IT = re.compile(
    r"\b(?:cipher|encod\w*|decod\w*|encrypt\w*|decrypt\w*|passwords?|hash\w*|random\w*|unscrambl\w*"
    r"|scrambl\w*|anagrams?|base64|rot-?13|tokens?|gibberish|nonsens\w*|morse|made-up|fictional"
    r"|invent\w*|onomatop\w*|sounds?|alien|constructed|keyboard|typing|palindromes?|revers\w*"
    r"|backwards?|regex|acronyms?|abbreviat\w*|ipa|phonetic|spell|tongue twister|letters|jumbl\w*"
    r"|translate|lorem|emoji|ascii|captcha|uuid|serial|key|mojibake|symbols?|pattern|divider|censor"
    r"|separator|word salad|notation|surreal|french|spanish|german|italian|latin|portuguese|dutch"
    r"|swahili|indonesian|malay|romani[sz]\w*|korean|japanese|welsh|polish|turkish\w*|dada\w*"
    r"|absurd)\b"
    r"|암호|복호|비밀번호|무작위|랜덤|뜻 ?없|의미 ?없|의성어|의태어|거꾸로|뒤집|초성|자판|키보드"
    r"|타자|난수"
    r"|글자 ?배열|애너그램|해독|모스|외계|지어낸|신조어|이모티콘|자음|모음|아무 ?말|번역|기호|무늬"
    r"|조사|어미|프랑스어|독일어|스페인어|영어|라틴어|끝말잇기",
    re.IGNORECASE,
)
_CODE_SIGN = re.compile(
    r"[{}]\s*$|\w\)?;\s*$|[=<>]{2}|\w\(|</|\bdef |\bimport |\$\w|\\\w", re.MULTILINE
)
_NO_PROSE = re.compile(r"[,\n:|/<>=_$→+*\\]| -|\d")
_FEWEST_SALAD_WORDS = 6
_FEWEST_KOREAN_SALAD = 9
_FEWEST_GARBLED = 3
_FEWEST_SYMBOLS = 12
_LONGEST_SHOUT = 60
_TABLE = re.compile(r"\|[-:| ]{3,}|==|=>")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|“[^”\n]*”|‘[^’\n]*’")
_ANY_DIGIT = re.compile(r"\d[a-z]|[a-z]\d")
_ANY_JAMO = re.compile(r"[ㄱ-ㅣ]|;\w")
_SOME_MARKS = re.compile(r"[!@#$%^&*?~;:,./\\{}\[\]<>()+]{2}")
_ANY_WORD = re.compile(r"[^\W\d_]|\d")
_LONGEST_WORD = 20
_LONGEST_MASH = 40
_NO_WORDS = frozenset({"https", "html", "xhtml", "mysql", "jquery", "kubectl", "nginx", "github"})
_MOJIBAKE = re.compile(r"Ã[\x80-\xff\u0192-\u2122]|â‚¬|â€|ï¿½|ðŸ")
_MIXED = re.compile(
    r"(?<![\w.-])(?=[a-z]*\d)(?=\d*[a-z])(?:\d+[a-z]+\d+[a-z]*|[a-z]+\d+[a-z]+\d*"
    r"|\d[a-z]{3,})(?![\w.-])"
)
_ORDINALS = re.compile(r"\d+(?:st|nd|rd|th|s|x|d|k|m|g|kg|km|cm|mm|ml|am|pm|min|hrs?|px|em|bit)")
_KOREAN_LAST = re.compile(r"(?:[다요까죠네지냐니나래라자줘봐어아여해군걸게와고데며면]|[?!.])$")


def _nonsense(record: RecordView) -> str | None:
    instruction = record.instruction[:_LONGEST_READ]
    if not _ANY_WORD.search(instruction):
        return f"the instruction has no word: {quote(instruction)}"
    if record.input and _JAMO_INPUT.fullmatch(record.input):
        return f"the input is loose letters: {quote(record.input)}"
    found = _find_noise(instruction, record, "instruction")
    if found:
        return f"the instruction {found}"
    found = _find_noise(record.output_prose[:_LONGEST_READ], record, "output")
    return f"the output {found}" if found and not _ASKS_FOR_IT.search(instruction) else None


def _find_noise(text: str, record: RecordView, part: str) -> str | None:
    return _find_mash(text, record, part) or _find_salad(text, record, part)


def _find_mash(text: str, record: RecordView, part: str) -> str | None:
    given = record.task_text if part == "output" else ""
    if part == "instruction" and any(mark in text for mark in "'\"“‘"):
        text = _QUOTED.sub(" ", text)
    found = _find_marks(text) or _find_strange_hangul(text, given)
    if found:
        return found
    found = _find_latin_mash(text, given, part)
    return None if found and _CODE_SIGN.search(text) else found


def _find_marks(text: str) -> str | None:
    if not _SOME_MARKS.search(text) and "Ã" not in text and "â" not in text and "ï" not in text:
        return None
    if len(_MOJIBAKE.findall(text)) >= _FEWEST_GARBLED:
        return f"was decoded wrongly: {quote(text)}"
    symbols = len(_SYMBOL.findall(text))
    shown = len(text) - text.count(" ")
    noise = symbols >= _FEWEST_SYMBOLS and symbols * 3 > shown and not _TABLE.search(text)
    runs = _MARK_RUN.search(text) and sum(map(str.isalpha, text)) * 2 < len(text)
    if noise or (runs and not _CODE_SIGN.search(text)):
        return f"is marks: {quote(text)}"
    return None


def _find_strange_hangul(text: str, given: str) -> str | None:
    if text.isascii():
        return None
    for jamo in _JAMO_MASH.finditer(text) if _ANY_JAMO.search(text) else ():
        if not _LAUGHTER.fullmatch(jamo[0]) and jamo[0] not in given and jamo[0].strip(";"):
            return f"has a run of loose letters: {quote(jamo[0])}"
    strange = [word for word in _odd_syllables(text) if word not in given]
    return f"has syllables that no word has: {quote(' '.join(strange))}" if strange else None


def _find_latin_mash(text: str, given: str, part: str) -> str | None:
    lower = text.lower()
    if _HINTS.isdisjoint(pairwise(lower)) and not (
        part == "instruction" and _ANY_DIGIT.search(text)
    ):
        return _find_shout(text, given)
    words = _LATIN_WORD.findall(text)
    if part == "instruction":
        mixed = [word for word in _MIXED.findall(text) if not _ORDINALS.fullmatch(word)]
        if len(mixed) >= _FEWEST_GARBLED and len(mixed) * 4 >= len(words):
            return f"has words from a hand on the keyboard: {quote(' '.join(mixed))}"
    mashed = [word for word in words if _is_mashed(word) and word not in given]
    if not mashed:
        return _find_shout(text, given)
    many = len(mashed) > 1 and len(mashed) * 8 >= len(words)
    alone = len(words) <= 2 or any(row in mashed[0].lower() for row in _KEY_ROWS)
    if many or (alone and len(mashed[0]) < _LONGEST_MASH):
        return f"has words from a hand on the keyboard: {quote(' '.join(mashed))}"
    return None


def _find_shout(text: str, given: str) -> str | None:
    run = _LETTER_RUN.search(text) if len(text) < _LONGEST_SHOUT else None
    if run is None or _LAUGHTER.fullmatch(run[0]) or run[0] in given:
        return None
    return f"repeats one letter: {quote(run[0])}"


def _odd_syllables(text: str) -> list[str]:
    """Find words with Hangul outside KS X 1001's 2,350 syllables, two of them at least."""
    # KS X 1001 writes other syllables out from a filler, which the codec keeps.
    if b"\xa4\xd4" not in text.encode("euc_kr", "replace"):
        return []
    words = [word for word in _HANGUL_WORD.findall(text) if _is_odd(word)]
    return words if len(words) >= 2 else []


def _is_odd(word: str) -> bool:
    # The codec writes syllables outside the standard as sequences of eight bytes.
    return len(word.encode("euc_kr")) > 2 * len(word)


def _is_mashed(word: str) -> bool:
    lower = word.lower()
    if word not in (lower, lower.capitalize()) or lower in _NO_WORDS:
        return False
    odd = sum(first + second in _ODD_PAIRS for first, second in pairwise(lower))
    if odd >= 2 or (odd and (len(lower) <= 6 or len(lower) >= _LONGEST_WORD)):
        return True
    return any(row in lower for row in _KEY_ROWS)


def _find_salad(text: str, record: RecordView, part: str) -> str | None:
    if record.language == "ko" and not text.isascii():
        return _find_korean_salad(text, record, part)
    words = _WORD.findall(text.lower())
    if len(words) < _FEWEST_SALAD_WORDS:
        return None
    clashes = _CLASHES.intersection(pairwise(words))
    if clashes and len(clashes) * 20 >= len(words) and not _CODE_SIGN.search(text):
        return f"is words without grammar: {quote(' '.join(min(clashes)))} in {quote(text)}"
    if not _GRAMMAR.isdisjoint(words) or _NO_PROSE.search(text) or text.istitle():
        return None
    given = _WORD.findall(record.task_text.lower()) if part == "output" else []
    if {*words} <= {*given} or _CODE_SIGN.search(text):
        return None
    return f"is words without grammar: {quote(text)}"


def _find_korean_salad(text: str, record: RecordView, part: str) -> str | None:
    words = _HANGUL_WORD.findall(text)
    if len(words) < 3 or _CODE_SIGN.search(text):
        return None
    letters = "".join(words)
    if len(letters) >= 15 and len({*letters}) <= 4:
        return f"shakes few syllables: {quote(text)}"
    particles = [word for word in words if word[0] in _BEGIN_PARTICLES and len(word) > 1]
    particles = [word for word in particles if _PARTICLE_ONLY.fullmatch(word)]
    if len(particles) >= 3:
        return f"has particles without nouns: {quote(' '.join(particles))}"
    doubled = _DOUBLED_PARTICLE.findall(text) if holds_any(text, _DOUBLES) else []
    if len(doubled) >= 2:
        return f"has particles on particles: {quote(' '.join(doubled))}"
    if (
        len(words) < _FEWEST_KOREAN_SALAD
        or re.search(r"[,，、:：\n·/→|>=_]", text)
        or _KOREAN_LAST.search(text)
    ):
        return None
    if sum(bool(_PARTICLE_END.search(word)) for word in words) * 3 <= len(words):
        given = record.task_text if part == "output" else ""
        if not all(word in given for word in words):
            return f"is words without grammar: {quote(text)}"
    return None


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
