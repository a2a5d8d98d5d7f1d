"""Instruction records made from movie reviews, in one wording or in many.

What the many forms are for. A student that has seen one wording learns "text, then this word", and
its threshold between the two labels holds in that very frame alone. So frames vary (the review as
input, in the instruction, in a line with a mark for the answer, among other reviews), and so does
what is asked (which label, whether it is this label, which of two reviews, in other words). The
order in which the labels are named is drawn, so that neither place nor label is the safe answer.

Kept out on purpose, because they are what the study asks at the end: the quoted review followed by
`->`, and instructions that explain each label by a condition ("if the viewer liked it, …").
"""

import random
from collections.abc import Callable, Sequence

from benchmarks.nsmc.rows import Review, Row, pick

POSITIVE, NEGATIVE = "긍정", "부정"

_NOUNS = ("영화평", "리뷰", "감상평", "관람평", "한줄평", "댓글", "영화 리뷰", "글", "문장", "평가")
_ASKING = (
    "다음 {noun}의 감정을 {a} 또는 {b}으로 답하세요.",
    "글쓴이가 영화를 어떻게 보았는지 '{a}'과 '{b}' 가운데 하나로 분류해 줘.",
    "이 {noun}은 {a}인가요, {b}인가요?",
    "{noun}을 읽고 {a}/{b} 중 하나를 고르시오.",
    "아래 {noun}의 감성을 판단하세요. 답: {a}, {b}",
    "{a}적인 {noun}인지 {b}적인 {noun}인지 한 단어로 말해 주세요.",
    "{noun} 감정 분류 ({a}|{b})",
    "{noun}에 담긴 태도는? {a} 혹은 {b}으로만 대답하십시오.",
    "주어진 {noun}을 {a}과 {b}으로 나눈다면 어느 쪽입니까?",
    "보기에서 알맞은 것을 골라 {noun}에 붙여라. 보기: {a}, {b}",
    "이 {noun} {a}이야 {b}이야?",
    "너는 {noun} 분류기야. {a}, {b} 중에서 라벨 하나만 출력해.",
    "다음 {noun}의 극성({a} 또는 {b})을 쓰세요.",
    "이 {noun}의 감정은?",
    "{noun}의 감성을 분류해 주세요.",
    "감정 라벨을 붙이세요.",
    "Classify the sentiment of this Korean movie review as {a} or {b}.",
    "이 사람은 영화를 {a}적으로 봤을까 {b}적으로 봤을까? 라벨만.",
)
_INSIDE = (
    "'{text}' 이 말은 {a}인가요, {b}인가요?",
    "{text}\n\n위 {noun}의 감정은 {a}과 {b} 중 무엇인가요?",
    "다음 글이 {a}인지 {b}인지 답하세요: {text}",
    "“{text}”라는 {noun}을 {a}, {b} 중 하나로 분류해 줘.",
    "{noun}: {text}\n질문: {a}? {b}?",
    "{text}\n\n감정을 {a}/{b}으로 쓰시오.",
)
_LINES = (
    "{noun}: {text}\n감정:",
    "{text} =>",
    "{text} →",
    "{text}\n라벨:",
    "문장: {text} / 분류:",
    "[{noun}] {text} [감정]",
    "{text} ::",
    "입력: {text}\n출력:",
    "Q: {text}\nA:",
    "「{text}」 ⇒",
    "{text} |",
    "<{text}> =",
    "{text} (긍정/부정)",
    "{text} ...감정은?",
    "'{text}' :",
)
_PAIRS = (
    ("좋음", "싫음"),
    ("호평", "혹평"),
    ("만족", "불만"),
    ("추천", "비추천"),
    ("positive", "negative"),
    ("좋다", "나쁘다"),
    ("재미있다", "재미없다"),
    ("찬사", "비판"),
    ("good", "bad"),
    ("1", "0"),
    ("긍정적", "부정적"),
    ("pos", "neg"),
)
_OTHER_WORDS = (
    "다음 {noun}을 {a}, {b} 중 하나로 분류하세요.",
    "{a} 아니면 {b}, 어느 쪽에 가까운 {noun}인가요?",
    "{noun}에 맞는 라벨을 고르세요: {a} / {b}",
    "이 {noun}을 쓴 사람의 평가를 {a} 또는 {b} 한 단어로 적어 줘.",
    "{noun}을 읽고 라벨({a}, {b})만 출력하세요.",
)
_ENGLISH_WORDS = (
    "Is this Korean movie review {a} or {b}?",
    "Label the review: {a} or {b}.",
    "Read the review and answer with its sentiment, {a} or {b}.",
    "What does the viewer think of the film? Answer {a} or {b}.",
)
_YES_NO = (
    ("이 {noun}은 {label}적인가요? {yes} 또는 {no}로 답하세요.", "예", "아니요"),
    ("{label}적인 {noun}이면 {yes}, 그렇지 않으면 {no}로 답해 주세요.", "네", "아니요"),
    ("다음 {noun}이 {label}이라는 판단이 맞습니까? {yes}/{no}", "맞다", "틀리다"),
    ("이 {noun}에 '{label}' 라벨을 붙였다. {yes} 또는 {no}?", "맞음", "틀림"),
    ("이 글은 {label}인가? ({yes}/{no})", "예", "아니오"),
)


def make_plain_rows(reviews: Sequence[Review], instruction: str) -> list[Row]:
    """Ask for the label in one wording, as most people would make such records."""
    return [Row("review: one wording", "ko", instruction, one.text, one.label) for one in reviews]


def make_varied_rows(reviews: Sequence[Review], seed: int) -> list[Row]:
    """Make one record a review, of a drawn form; some show others as worked examples.

    Within each form the labels alternate, so that none has a usual answer.
    """
    generator = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    piles = {
        label: [one for one in reviews if one.label == label] for label in (POSITIVE, NEGATIVE)
    }
    for pile in piles.values():
        generator.shuffle(pile)
    rows: list[Row] = []
    # A form makes its two rows from one review of each label.
    for pair in zip(piles[POSITIVE], piles[NEGATIVE], strict=False):
        make = pick(generator, _FORMS)
        rows += make(generator, pair)
    generator.shuffle(rows)
    return rows


_Pair = tuple[Review, Review]
"""A positive and a negative one."""


def _asked(generator: random.Random, pair: _Pair) -> list[Row]:
    template, fields = generator.choice(_ASKING), _draw_fields(generator)
    instruction = _say(template, **fields)
    return [Row("review: asked", "ko", instruction, one.text, one.label) for one in pair]


def _inside(generator: random.Random, pair: _Pair) -> list[Row]:
    template, fields = generator.choice(_INSIDE), _draw_fields(generator)
    return [
        Row(
            "review: in the instruction",
            "ko",
            _say(template, text=one.text, **fields),
            "",
            one.label,
        )
        for one in pair
    ]


def _line(generator: random.Random, pair: _Pair) -> list[Row]:
    template, noun = generator.choice(_LINES), generator.choice(_NOUNS)
    return [
        Row("review: line", "ko", template.format(text=one.text, noun=noun), "", one.label)
        for one in pair
    ]


def _line_as_input(generator: random.Random, pair: _Pair) -> list[Row]:
    template, noun = generator.choice(_LINES), generator.choice(_NOUNS)
    fields = _draw_fields(generator)
    instruction = _say(generator.choice(_ASKING), **fields)
    return [
        Row("review: line", "ko", instruction, template.format(text=one.text, noun=noun), one.label)
        for one in pair
    ]


def _other_words(generator: random.Random, pair: _Pair) -> list[Row]:
    words = generator.choice(_PAIRS)
    fields = _draw_fields(generator, words)
    english = generator.random() < 0.35
    instruction = _say(generator.choice(_ENGLISH_WORDS if english else _OTHER_WORDS), **fields)
    return [
        Row("review: other labels", "en" if english else "ko", instruction, one.text, word)
        for one, word in zip(pair, words, strict=True)
    ]


def _yes_no(generator: random.Random, pair: _Pair) -> list[Row]:
    template, yes, no = generator.choice(_YES_NO)
    label = generator.choice((POSITIVE, NEGATIVE))
    instruction = template.format(noun=generator.choice(_NOUNS), label=label, yes=yes, no=no)
    return [
        Row(
            "review: yes or no",
            "ko",
            _fix(instruction),
            one.text,
            yes if one.label == label else no,
        )
        for one in pair
    ]


def _which(generator: random.Random, pair: _Pair) -> list[Row]:
    label = generator.choice((POSITIVE, NEGATIVE))
    words = generator.choice((("첫째", "둘째"), ("1번", "2번"), ("A", "B"), ("가", "나")))
    rows: list[Row] = []
    for order in ((0, 1), (1, 0)):
        first, second = pair[order[0]], pair[order[1]]
        rows.append(
            Row(
                "review: which of two",
                "ko",
                f"두 평 가운데 {label}적인 쪽은 {words[0]}인가요, {words[1]}인가요?",
                f"{words[0]}: {first.text}\n{words[1]}: {second.text}",
                words[0] if first.label == label else words[1],
            )
        )
    return [generator.choice(rows)]


_FORMS: tuple[tuple[float, Callable[[random.Random, _Pair], list[Row]]], ...] = (
    (0.45, _asked),
    (0.12, _inside),
    (0.18, _line),
    (0.04, _line_as_input),
    (0.14, _other_words),
    (0.05, _yes_no),
    (0.02, _which),
)


def _draw_fields(
    generator: random.Random, labels: tuple[str, str] = (POSITIVE, NEGATIVE)
) -> dict[str, str]:
    first, second = generator.sample(labels, 2)
    return {"a": first, "b": second, "noun": generator.choice(_NOUNS)}


def _say(template: str, **fields: str) -> str:
    text = fields.pop("text", "")
    said = _fix(template.replace("{text}", "\0").format(**fields))
    return said.replace("\0", text)


# Particles after a drawn word: the templates write the form after a consonant.
_AFTER_VOWEL = (("은", "는"), ("을", "를"), ("이", "가"), ("과", "와"), ("으로", "로"))


def _fix(sentence: str) -> str:
    """Let particles agree with the drawn nouns and labels before them."""
    for noun in sorted(
        {*_NOUNS, *(word for pair in _PAIRS for word in pair)}, key=len, reverse=True
    ):
        if not ("가" <= noun[-1] <= "힣") or (ord(noun[-1]) - ord("가")) % 28:
            continue
        for consonant, vowel in _AFTER_VOWEL:
            for end in (" ", ".", "'", "?"):
                for quote in ("", "'"):
                    sentence = sentence.replace(
                        f"{noun}{quote}{consonant}{end}", f"{noun}{quote}{vowel}{end}"
                    )
    return sentence
