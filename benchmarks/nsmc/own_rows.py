"""Records of simple tasks made by rule: their answers are right by construction.

They keep the student from answering a sentiment to everything: same length of answer, same form of
question, other things asked, in both languages.
"""

import random
from collections.abc import Callable

from benchmarks.nsmc.rows import Row
from schemas.records import Language

_KINDS_KO = {
    "과일": ("사과", "배", "포도", "딸기", "복숭아", "감", "수박"),
    "동물": ("고양이", "여우", "말", "호랑이", "토끼", "곰", "사슴"),
    "악기": ("피아노", "가야금", "북", "첼로", "장구", "플루트"),
    "탈것": ("버스", "기차", "자전거", "비행기", "배달차", "지하철"),
    "옷": ("바지", "치마", "외투", "양말", "조끼", "한복"),
    "직업": ("의사", "목수", "기자", "요리사", "교사", "농부"),
}
_KINDS_EN = {
    "fruit": ("apple", "pear", "grape", "plum", "peach", "mango"),
    "animal": ("cat", "fox", "horse", "tiger", "rabbit", "bear"),
    "instrument": ("piano", "violin", "drum", "cello", "flute", "harp"),
    "vehicle": ("bus", "train", "bicycle", "tram", "lorry", "ferry"),
    "clothing": ("coat", "skirt", "sock", "scarf", "shirt", "glove"),
    "job": ("doctor", "baker", "farmer", "teacher", "plumber", "judge"),
}
_NAMES_KO = ("민수", "지영", "하늘", "준호", "서연", "도윤")
_NAMES_EN = ("Anna", "Ben", "Clara", "David", "Emma", "Frank")
_PLACES_KO = ("학교", "시장", "도서관", "공원", "병원", "역")
_PLACES_EN = ("school", "market", "library", "park", "hospital", "station")
_DAYS_KO = ("월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일")
_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def make_own_rows(count: int, seed: int) -> list[Row]:
    """Make `count` different records, half of each language, evenly over the kinds of task."""
    generator = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    rows: dict[Row, None] = {}
    languages: tuple[Language, Language] = ("ko", "en")
    turn = 0
    while len(rows) < count:
        make = _TASKS[turn // 2 % len(_TASKS)]
        rows.setdefault(make(generator, languages[turn % 2]))
        turn += 1
    return list(rows)


def _words(generator: random.Random, language: Language, count: int) -> list[str]:
    kinds = _KINDS_KO if language == "ko" else _KINDS_EN
    return generator.sample([word for words in kinds.values() for word in words], count)


def _count(generator: random.Random, language: Language) -> Row:
    words = _words(generator, language, generator.randint(2, 7))
    ask = {
        "ko": ("목록에 낱말이 몇 개 있습니까? 숫자로 답하세요.", "쉼표로 나눈 낱말의 수는?"),
        "en": ("How many words are in the list? Answer with a number.", "Count the items."),
    }[language]
    return Row("counting", language, generator.choice(ask), ", ".join(words), str(len(words)))


def _position(generator: random.Random, language: Language) -> Row:
    words = _words(generator, language, generator.randint(3, 6))
    at = generator.randrange(3)
    if language == "ko":
        ask = f"목록에서 {('첫', '두', '세')[at]} 번째 낱말을 쓰세요."
    else:
        ask = f"Write the {('first', 'second', 'third')[at]} word of the list."
    return Row("order", language, ask, ", ".join(words), words[at])


def _kind(generator: random.Random, language: Language) -> Row:
    kinds = _KINDS_KO if language == "ko" else _KINDS_EN
    options = generator.sample(sorted(kinds), 3)
    answer = generator.choice(options)
    listed = ", ".join(options)
    ask = {
        "ko": f"다음 낱말은 무엇에 속합니까? {listed} 가운데 하나로 답하세요.",
        "en": f"What is this? Answer with one of {listed}.",
    }[language]
    return Row("kind of word", language, ask, generator.choice(kinds[answer]), answer)


def _contains(generator: random.Random, language: Language) -> Row:
    words = _words(generator, language, 5)
    is_in = generator.random() < 0.5
    asked = words[generator.randrange(4)] if is_in else words[4]
    listed = ", ".join(words[:4])
    if language == "ko":
        ask, answer = (
            f"목록에 '{asked}'라는 낱말이 있습니까? 예 또는 아니요",
            "예" if is_in else "아니요",
        )
    else:
        ask, answer = (
            f"Does the list contain {asked!r}? Answer yes or no.",
            "yes" if is_in else "no",
        )
    return Row("yes or no", language, ask, listed, answer)


def _went(generator: random.Random, language: Language) -> Row:
    """A fact, and a claim about it that follows or does not."""
    names, places, days = (
        (_NAMES_KO, _PLACES_KO, _DAYS_KO) if language == "ko" else (_NAMES_EN, _PLACES_EN, _DAYS_EN)
    )
    name, (place, other), (day, wrong_day) = (
        generator.choice(names),
        generator.sample(places, 2),
        generator.sample(days, 2),
    )
    is_true = generator.random() < 0.5
    claims = (place, day) if is_true else generator.choice(((other, day), (place, wrong_day)))
    if language == "ko":
        fact = f"{name} 씨는 {day}에 {place}에 갔다."
        claim = f"{name} 씨는 {claims[1]}에 {claims[0]}에 있었다."
        ask = generator.choice(
            (
                "첫 문장이 참이면 둘째 문장도 참입니까? 예 또는 아니요로 답하세요.",
                "글을 보면 주장이 맞나요? (예/아니요)",
            )
        )
        return Row("yes or no", language, ask, f"{fact}\n{claim}", "예" if is_true else "아니요")
    fact = f"On {day}, {name} went to the {place}."
    claim = f"{name} was at the {claims[0]} on {claims[1]}."
    ask = generator.choice(
        (
            "Does the second sentence follow from the first? Answer yes or no.",
            "Is the claim right, given the text? (yes/no)",
        )
    )
    return Row("yes or no", language, ask, f"{fact}\n{claim}", "yes" if is_true else "no")


def _who(generator: random.Random, language: Language) -> Row:
    names, places, days = (
        (_NAMES_KO, _PLACES_KO, _DAYS_KO) if language == "ko" else (_NAMES_EN, _PLACES_EN, _DAYS_EN)
    )
    name, place, day = generator.choice(names), generator.choice(places), generator.choice(days)
    asked = generator.randrange(3)
    if language == "ko":
        ask = ("누가 갔습니까?", "어디에 갔습니까?", "무슨 요일에 갔습니까?")[asked]
        return Row(
            "extraction",
            language,
            ask,
            f"{name} 씨는 {day}에 {place}에 갔다.",
            (name, place, day)[asked],
        )
    ask = ("Who went?", "Where did the person go?", "On which day was it?")[asked]
    return Row(
        "extraction",
        language,
        ask,
        f"On {day}, {name} went to the {place}.",
        (name, place, day)[asked],
    )


def _language_id(generator: random.Random, language: Language) -> Row:
    is_korean = generator.random() < 0.5
    word = generator.choice(
        [word for words in (_KINDS_KO if is_korean else _KINDS_EN).values() for word in words]
    )
    name, place = (
        (generator.choice(_NAMES_KO), generator.choice(_PLACES_KO))
        if is_korean
        else (generator.choice(_NAMES_EN), generator.choice(_PLACES_EN))
    )
    text = (
        f"{name} 씨가 {place}에서 {word} 그림을 보았다."
        if is_korean
        else f"{name} saw a picture of a {word} at the {place}."
    )
    if language == "ko":
        return Row(
            "language",
            language,
            "이 문장은 어느 나라 말입니까? 한국어 또는 영어",
            text,
            "한국어" if is_korean else "영어",
        )
    return Row(
        "language",
        language,
        "Is this sentence Korean or English?",
        text,
        "Korean" if is_korean else "English",
    )


def _sum(generator: random.Random, language: Language) -> Row:
    first, second = generator.randint(1, 20), generator.randint(1, 20)
    high, low = max(first, second), min(first, second)
    if generator.random() < 0.5:
        sign, answer = "+", first + second
    else:
        first, second, sign, answer = high, low, "-", high - low
    ask = {"ko": "계산하세요.", "en": "Work this out."}[language]
    return Row("arithmetic", language, ask, f"{first} {sign} {second}", str(answer))


def _larger(generator: random.Random, language: Language) -> Row:
    first, second = generator.sample(range(1, 100), 2)
    ask = {"ko": "두 수 가운데 더 큰 수를 쓰세요.", "en": "Which number is larger?"}[language]
    return Row("order", language, ask, f"{first}, {second}", str(max(first, second)))


def _repeat(generator: random.Random, language: Language) -> Row:
    words = _words(generator, language, generator.randint(2, 4))
    ask = {"ko": "낱말을 거꾸로 된 순서로 쓰세요.", "en": "Write the words in reverse order."}[
        language
    ]
    return Row("order", language, ask, ", ".join(words), ", ".join(reversed(words)))


_TASKS: tuple[Callable[[random.Random, Language], Row], ...] = (
    _count,
    _position,
    _kind,
    _contains,
    _went,
    _who,
    _language_id,
    _sum,
    _larger,
    _repeat,
)
