"""The shapes in which known task files come, told by their columns, and how we ask about them.

NSMC; KoBEST's five (Kim et al. 2022, arXiv:2204.04541) and the English sets of the same columns;
KLUE's and others' inference pairs; multiple choice with the choices in a list or in columns A to D.
Published labels are numbers; a model is asked for words.
"""

from typing import Literal, NamedTuple

from schemas.evaluation import Family
from schemas.records import Language


class Shape(NamedTuple):
    """One kind of file."""

    family: Family
    columns: dict[str, tuple[str, ...]]
    """Part -> the names that its column has in published files. ``label`` is one of them."""
    texts: dict[Language, str]
    """What an item shows, with parts in braces."""
    questions: dict[Language, tuple[str, ...]]
    """The instruction, in several wordings."""
    labels: dict[Language, tuple[str, ...]] = {}  # noqa: RUF012 - never written to
    """Words by number; none where each item has its own choices."""
    choices: tuple[str, ...] = ()
    """The parts that are an item's own choices."""
    group: str = ""
    """The part that several items may have in common."""
    counts_from: int | None = 0
    """Number of the first label or choice; None where files differ, and the file has to show it."""
    taken_for: Literal["any", "words", "numbers-and-words"] = "any"
    """Only files with such labels are of this shape: other sets have the same columns."""
    has_arrow: bool = False
    """Whether a quoted text and an arrow make a wording too."""
    readings: dict[str, dict[Language, str]] = {}  # noqa: RUF012 - never written to
    """What is written in place of a part's published word."""


_LABEL = ("label", "labels", "gold")
_YES_NO: dict[Language, tuple[str, ...]] = {"en": ("no", "yes"), "ko": ("아니요", "예")}

_SENTIMENT = Shape(
    family="sentiment",
    columns={"text": ("document", "sentence"), "label": _LABEL},
    texts={"en": "{text}", "ko": "{text}"},
    questions={
        "en": (
            "Is the opinion in this text negative or positive?",
            "Read the text and answer with its sentiment: negative or positive.",
        ),
        "ko": (
            "다음 글에 담긴 평가가 부정인지 긍정인지 답하세요.",
            "글을 읽고 글쓴이의 감정을 부정, 긍정 가운데 하나로 쓰세요.",
        ),
    },
    labels={"en": ("negative", "positive"), "ko": ("부정", "긍정")},
    taken_for="numbers-and-words",
    has_arrow=True,
)
_SENTIMENT_IN_WORDS = _SENTIMENT._replace(
    columns={"text": ("text", "review", "comment"), "label": (*_LABEL, "sentiment")},
    taken_for="words",
)
_BOOLQ = Shape(
    family="entailment",
    columns={
        "passage": ("paragraph", "passage"),
        "question": ("question",),
        "label": (*_LABEL, "answer"),
    },
    texts={
        "en": "{passage}\n\nQuestion: {question}",
        "ko": "{passage}\n\n질문: {question}",
    },
    questions={
        "en": (
            "Read the passage and answer the question with no or yes.",
            "Answer the question below the passage: no or yes?",
        ),
        "ko": (
            "글을 읽고 질문에 아니요 또는 예로 답하세요.",
            "다음 글의 내용에 따라 아래 질문의 답이 아니요인지 예인지 쓰세요.",
        ),
    },
    labels=_YES_NO,
    group="passage",
)
_COPA = Shape(
    family="other",
    columns={
        "premise": ("premise",),
        "question": ("question",),
        "first": ("alternative_1", "choice1"),
        "second": ("alternative_2", "choice2"),
        "label": _LABEL,
    },
    texts={"en": "{premise}\n\n{question}", "ko": "{premise}\n\n{question}"},
    questions={
        "en": (
            "Read what happened and answer the question about it in one sentence.",
            "Answer the question below the sentence with what is most plausible.",
        ),
        "ko": (
            "상황을 읽고 이어지는 질문에 한 문장으로 답하세요.",
            "아래 상황에 대한 질문에 가장 그럴듯한 답을 쓰세요.",
        ),
    },
    choices=("first", "second"),
    readings={
        "cause": {"en": "What was the cause of this?", "ko": "이 일의 원인은 무엇인가요?"},
        "effect": {"en": "What happened as a result?", "ko": "이 일의 결과로 무슨 일이 있었나요?"},
        "원인": {"en": "What was the cause of this?", "ko": "이 일의 원인은 무엇인가요?"},
        "결과": {"en": "What happened as a result?", "ko": "이 일의 결과로 무슨 일이 있었나요?"},
    },
)
_WIC = Shape(
    family="other",
    columns={
        "word": ("word",),
        "first": ("context_1", "sentence1"),
        "second": ("context_2", "sentence2"),
        "label": _LABEL,
    },
    texts={
        "en": "Word: {word}\nSentence 1: {first}\nSentence 2: {second}",
        "ko": "단어: {word}\n문장 1: {first}\n문장 2: {second}",
    },
    questions={
        "en": (
            "Does the word have the same meaning in both sentences? Answer no or yes.",
            "Is the word used in one and the same sense in the two sentences, no or yes?",
        ),
        "ko": (
            "두 문장에서 단어의 뜻이 같은지 아니요 또는 예로 답하세요.",
            "단어가 두 문장에서 같은 뜻으로 쓰였나요? 아니요, 예 가운데 하나로 답하세요.",
        ),
    },
    labels=_YES_NO,
)
_HELLASWAG = Shape(
    family="other",
    columns={
        "context": ("context", "ctx"),
        "first": ("ending_1",),
        "second": ("ending_2",),
        "third": ("ending_3",),
        "fourth": ("ending_4",),
        "label": _LABEL,
    },
    texts={"en": "{context}", "ko": "{context}"},
    questions={
        "en": (
            "Write the sentence that continues this text best.",
            "What comes next? Answer with one sentence.",
        ),
        "ko": (
            "다음 글에 이어질 문장으로 가장 알맞은 것을 쓰세요.",
            "이 글 다음에는 어떤 내용이 이어질까요? 한 문장으로 답하세요.",
        ),
    },
    choices=("first", "second", "third", "fourth"),
)
_HELLASWAG_LIST = _HELLASWAG._replace(
    columns={"context": ("ctx", "context"), "choices": ("endings",), "label": _LABEL},
    choices=("choices",),
)
_INFERENCE = Shape(
    family="entailment",
    columns={"premise": ("premise",), "hypothesis": ("hypothesis",), "label": _LABEL},
    texts={
        "en": "{premise}\n\nStatement: {hypothesis}",
        "ko": "{premise}\n\n진술: {hypothesis}",
    },
    questions={
        "en": (
            "By the text above it, is the statement true, undecided or false?",
            "Read the text and say of the statement: true, undecided or false.",
        ),
        "ko": (
            "글에 따르면 진술이 참인지, 알 수 없음인지, 거짓인지 답하세요.",
            "글을 읽고 진술을 참, 알 수 없음, 거짓 가운데 하나로 판단하세요.",
        ),
    },
    labels={
        "en": ("true", "undecided", "false"),
        "ko": ("참", "알 수 없음", "거짓"),
    },
    group="premise",
)
_CHOICE_QUESTIONS: dict[Language, tuple[str, ...]] = {
    "en": ("", "Answer the question."),
    "ko": ("", "질문에 답하세요."),
}
_CHOICE_LIST = Shape(
    family="other",
    columns={
        "question": ("question",),
        "choices": ("choices", "options"),
        "label": ("answer", *_LABEL),
    },
    texts={"en": "{question}", "ko": "{question}"},
    questions=_CHOICE_QUESTIONS,
    choices=("choices",),
    counts_from=None,
)
_CHOICE_LETTERS = _CHOICE_LIST._replace(
    columns={
        "question": ("question",),
        **{letter: (letter,) for letter in "ABCD"},
        "label": ("answer", *_LABEL),
    },
    choices=("A", "B", "C", "D"),
)

SHAPES = (
    _WIC,
    _COPA,
    _BOOLQ,
    _HELLASWAG,
    _HELLASWAG_LIST,
    _INFERENCE,
    _CHOICE_LETTERS,
    _CHOICE_LIST,
    _SENTIMENT,
    _SENTIMENT_IN_WORDS,
)
"""Those that want more columns before those that want fewer."""

LABEL_ALIASES = (
    ("negative", "positive"),
    ("neg", "pos"),
    ("no", "yes"),
    ("false", "true"),
    ("entailment", "neutral", "contradiction"),
)
"""Words that files have for labels, by number."""
