"""Rules on the output as an answer: that it is one, and neither an echo nor a filler.

Linear in the texts; folding is shared with the other rules.
"""

import re
from contextlib import suppress

from pipeline.curation.duplicates import fold
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_MAY_REPEAT = re.compile(
    r"\b(?:repeat|copy|echo|verbatim|as is|unchanged|no (?:errors?|mistakes?|changes?)"
    r"|correct(?:ed|ing|ion\w*)?"
    r"|proofread|duplicates?|print\w*|outputs?|if (?:needed|necessary))\b"
    r"|그대로|반복|따라 ?(?:쓰|적|말)|맞춤법|띄어쓰기|교정|오류가 없|중복|출력|틀린|들여쓰기"
    r"|\bindent\w*",
    re.IGNORECASE,
)
_SORTS = re.compile(
    r"\b(?:sort|order|arrange|rank|alphabeti\w+|ascending)\b|정렬|순서|순으로", re.IGNORECASE
)
# Restoring these is a task whose answer folds to its input.
_ABOUT_FORM = re.compile(
    r"\b(?:capital\w*|punctuat\w*|cases?|lowercase|uppercase|format\w*|quotation\w*|commas?"
    r"|apostrophes?"
    r"|periods?|spac\w+|hyphens?|marks?|question|exclamation|title)\b"
    r"|대문자|소문자|부호|쉼표|마침표|따옴표|띄어|물음표|느낌표|의문문|형식",
    re.IGNORECASE,
)

# By folded text without brackets and label.
_NEVER_AN_ANSWER = frozenset(
    {"nan", "todo", "tbd", "output", "response", "answer", "nooutput", "no output", "no answer"}
    | {"no response", "your answer here", "no output needed", "no output required", "empty"}
    | {"none available", "not available", "no output is needed", "no output available", "blank"}
    | {"no answer available", "no response needed", "answer here", "no content", "noinput"}
    | {"정답없음", "답변없음", "답없음", "출력없음", "내용없음", "응답없음", "출력", "답변", "응답"}
    | {
        "정답",
        "출력값없음",
        "결과없음",
        "작성예정",
        "추후작성",
        "여기에답변",
        "빈칸",
        "미정",
        "생략",
    }
)
# Fillers unless the task offers them.
_NEVER_AN_ANSWER_KO = frozenset(
    {
        "무응답",
        "제목없음",
        "ㅇㅇ",
        "ㅇㅋ",
        "내용을생략합니다",
        "내용생략",
        "없음없음",
        "n/a해당없음",
        "n/a 해당없음",
    }
)
_SELDOM_AN_ANSWER = frozenset(
    {"n/a", "na", "not applicable", "해당없음", "해당사항없음", "해당없습니다"}
)
# Fillers unless the task asks for a count, a choice or a value.
_AT_TIMES_AN_ANSWER = frozenset(
    {"none", "null", "nil", "undefined", "unknown", "nothing", "없음", "없습니다", "없다", "모름"}
)
_ASKS_FOR_A_FIND = re.compile(
    r"\b(?:which|how (?:many|much)|what (?:value|keyword|does|do|will|would)|any|returns?|values?"
    r"|keywords?|find|count|errors?|check"
    r"|identify|if|extract|does|is there)\b|몇|어느|있는지|있나|있습니까|있는가|값"
    r"|고르|골라|개수|(?:오류|중복|틀린|예외|잘못|오타)\S* (?:\S+ )?찾"
    r"|추출|확인|뭐|반대말|뜻",
    re.IGNORECASE,
)
_MARKS_ALONE = re.compile(r"[\s.…_*~–—?!,;:/\"'`“”‘’·-]+|[\s{}\[\]()<>]+")
_CODE_SIGN = re.compile(r"[={}<>;]|\w\(")
_NUMBERS_ALONE = re.compile(r"(?:\d{1,2}\.\s*){2,}")
_ASKS_FOR_MARKS = re.compile(
    r"\b(?:morse|punctuat\w*|(?<!chemical )symbols?|signs?|operators?|marks?|returns?|empty"
    r"|prints?|arrays?|braces"
    r"|set|objects?|json|outputs?|dash\w*|dots?|ellipsis|character|emoji|blank|code|brackets?)\b"
    r"|부호|기호|모스|연산|출력|반환|배열|빈|표시|줄임표|괄호|글자|문자",
    re.IGNORECASE,
)
_WRAPPING = re.compile(
    r"^(?:output|response|answer|출력|답변|응답|답)\s*[:：]\s*|[\[\](){}<>*]+", re.IGNORECASE
)
_LONGEST_FILLER = 40
_LONGEST_ECHO = 3
_LONGEST_LABEL = 4
_SAME_START = 0.75
_FEWEST_LETTERS = 14
_LONGEST_ENDING = 14
# What an echo is dressed with: labels, numbering, thanks, an announcement.
_COURTESY = re.compile(
    r"감사합니다|네|예|물론입니다|알겠습니다|지시문?|과제|질문|답변?|응답|명령|instruction|task"
    r"|question|answer|response"
    r"|sure|okay|certainly|thank you|here (?:it )?is|[\W\d_]|[가-힣]{0,24}(?:드릴게요"
    r"|드리겠습니다)",
    re.IGNORECASE,
)


def _repeats_instruction(record: RecordView) -> str | None:
    length = len(record.output)
    if not 0.5 * len(record.instruction) < length < _LONGEST_ECHO * len(record.task_text) + 20:
        return None
    if not _may_echo(record):
        return None
    output, instruction = record.folded_output, record.folded_instruction
    rest = output.replace(instruction, "").strip()
    if rest == output:
        echoes = _says_no_more(output, instruction)
    else:
        echoes = rest == record.folded_input or not _COURTESY.sub("", rest)
    if not echoes:
        return None
    return f"the output is the instruction: {quote(record.output)}"


def _may_echo(record: RecordView) -> bool:
    """Look for the first word, of Korean its first letters, before both texts are folded."""
    word = record.lower_instruction.split(None, 1)[0]
    if word.isascii():
        return not word.isalpha() or word in record.lower_output
    return not ("가" <= word[0] <= "힣") or word[0] in record.output


def _says_no_more(output: str, instruction: str) -> bool:
    """Tell an output that is the instruction but for its ending: "…을 설명해 드리겠습니다"."""
    start = instruction[: int(len(instruction) * _SAME_START)]
    return (
        len(instruction) >= _FEWEST_LETTERS
        and output.startswith(start)
        and len(output) <= len(instruction) + _LONGEST_ENDING
    )


def _repeats_input(record: RecordView) -> str | None:
    if not record.input or not 0.5 < (len(record.output) + 9) / (len(record.input) + 9) < 2:
        return None
    if record.output.split() != record.input.split() and (
        _ABOUT_FORM.search(record.instruction)
        or ("\n" in record.input and _CODE_SIGN.search(record.input))
        or not record.folded_input
        or not record.folded_output.endswith(record.folded_input)
        or len(record.folded_output) > len(record.folded_input) + _LONGEST_LABEL
    ):
        return None
    if _MAY_REPEAT.search(record.instruction) or (
        _SORTS.search(record.instruction) and _is_sorted(record.input)
    ):
        return None
    return f"the output is the input: {quote(record.output)}"


def _is_sorted(text: str) -> bool:
    items = [item.strip().casefold() for item in re.split(r"[,\n;]|\s+", text) if item.strip()]
    keys = [(0.0, item) for item in items]
    with suppress(ValueError):
        keys = [(float(item), "") for item in items]
    return keys in (sorted(keys), sorted(keys, reverse=True))


def _not_an_answer(record: RecordView) -> str | None:
    output = record.output
    if len(output) > _LONGEST_FILLER:
        return None
    bare = fold(_WRAPPING.sub("", output)).strip()
    asked = record.folded_task_text
    if _MARKS_ALONE.fullmatch(output) or _NUMBERS_ALONE.fullmatch(output):
        filler = output not in record.input and not _ASKS_FOR_MARKS.search(record.instruction)
    elif bare in _AT_TIMES_AN_ANSWER:
        filler = bare not in asked and not _ASKS_FOR_A_FIND.search(record.instruction)
    else:
        filler = (
            bare in _NEVER_AN_ANSWER
            or bare in _NEVER_AN_ANSWER_KO
            or (bare in _SELDOM_AN_ANSWER and bare not in asked)
        )
    return f"the whole output is {quote(output)}" if filler else None


ANSWER_RULES = (
    Rule(
        "output-repeats-instruction",
        ("en", "ko"),
        "fatal",
        "Teaches to echo the question.",
        _repeats_instruction,
        examples=(
            Example("en", "Name a red fruit.", "name a red fruit"),
            Example("ko", "붉은 과일을 말하세요.", "붉은 과일을 말하세요"),
        ),
        near_misses=(
            Example("en", "Name a red fruit.", "A red fruit is the plum."),
            Example("ko", "붉은 과일을 말하세요.", "붉은 과일은 자두입니다."),
        ),
    ),
    Rule(
        "output-repeats-input",
        ("en", "ko"),
        "serious",
        "Teaches to hand the material back untouched; proofreading and copying may.",
        _repeats_input,
        examples=(
            Example(
                "en",
                "Make this sentence shorter.",
                "I like ripe plums.",
                input="I like ripe plums.",
            ),
            Example(
                "ko",
                "다음 문장을 짧게 줄이세요.",
                "나는 자두를 좋아한다.",
                input="나는 자두를 좋아한다.",
            ),
        ),
        near_misses=(
            Example("en", "Restore the capitals.", "I like plums.", input="i like plums"),
            Example("ko", "맞춤법을 바로잡으세요.", "자두가 좋다.", input="자두가 좋다."),
        ),
    ),
    Rule(
        "not-an-answer",
        ("en", "ko"),
        "fatal",
        "A filler such as N/A stands where the answer should.",
        _not_an_answer,
        examples=(
            Example("en", "Name a red fruit.", "N/A"),
            Example("ko", "붉은 과일을 말하세요.", "정답 없음"),
        ),
        near_misses=(
            Example("en", "Name the error, or say None.", "None", input="x = 1"),
            Example("ko", "오류를 쓰고, 없으면 '없음'이라고 쓰세요.", "없음", input="자두가 좋다."),
        ),
    ),
)
