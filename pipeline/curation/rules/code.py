"""The rule on code that is none: an empty block, comments alone, a body of pass or TODO.

Only outputs with code are looked at: a fence, or lines that begin like a definition. An exception
class or an abstract method may be empty, and so may a skeleton that was asked for. Linear in the
output.
"""

import re

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView, holds_any

_FENCE = re.compile(r"```[^\n`]*(?:\n(.*?)(?:```|\Z)|([^`\n]*)```)", re.DOTALL)
_COMMENT = re.compile(
    r"/\*.*?\*/|<!--.*?-->|\"\"\".*?\"\"\"|'''.*?'''"
    r"|(?m:^[ \t]*(?:#(?!include|define|[0-9a-fA-F]{3,8}\b)|//|--|%|;;)[^\n]*$"
    r"|\s(?:#|//)\s[^\n]*$)",
    re.DOTALL,
)
_DEFINITION = re.compile(
    r"(?m)^[ \t]*(?:def \w+|(?:class|interface|struct|fn|fun|func) \w+|(?:async )?function\b"
    r"|(?:public|private|static|protected)\b"
    r"|(?:const|let|var) \w+ ?=|(?:int|void|double|string|bool|float|fn|func|fun|sub) \w+ ?\()"
    r"|=>|<\w+>|^[ \t]*[.#]?[\w-]+\s*\{"
)
_NOTHING = (
    r"(?:pass|return(?:\s+(?:None|null|undefined|nil|0|false|\"\"|''|\w+))?"
    r"|raise NotImplementedError"
    r"(?:\([^)]*\))?|throw new (?:Error|NotImplementedException|UnsupportedOperationException)"
    r"\([^)]*\)|todo!\(\)|unimplemented!\(\)|TODO\([^)]*\)|\?\?\?|\.\.\.|…|NotImplemented)"
)
# What stands around a body that does nothing: signatures, selectors, tags, imports, brackets.
_FRAME = re.compile(
    r"[\s{}()\[\];:,.]*|end|begin"
    rf"|{_NOTHING};?\s*\}}?"
    r"|@\w+.*|#!.*|<\?php|\?>|(?:</?(?:html|head|body|div|script|style|title|form|main|section"
    r"|meta|ul|ol|table|p)>|<!DOCTYPE[^>]*>)+"
    r"|(?:import|from|using|use|#include|package|require)\b[^=(]*;?|(?:public|private"
    r"|protected)\s*:"
    r"|if __name__.*:"
    r"|(?:[\w.<>\[\],*&?]+\s+)*(?:def|class|function|func|fn|fun|sub|interface|struct|trait|object"
    r"|enum)\b"
    rf"[^{{}}=;]*(?:[:=\s]*\{{?|\{{\s*(?:{_NOTHING};?\s*)?\}})?;?"
    rf"|(?!SELECT|INSERT|UPDATE|DELETE|CREATE|return|await|print|echo"
    rf"|new)(?:[\w.<>\[\],*&?]+\s+)+\w+\s*\([^)]*\)[^{{}}=;]*(?:\{{\s*(?:{_NOTHING};?\s*)?\}}?;?)?"
    rf"|(?:(?:const|let|var|export|default"
    rf"|async)\s+)*\w+\s*=\s*(?:async\s*)?(?:function\s*)?\([^)]*\)\s*(?:=>)?\s*\{{?\s*(?:{_NOTHING};?)?\}}?;?"
    r"|[.#]?[\w-]+(?:[ ,.:#>+~]+[\w-]+)*\s*\{\s*\}?"
)
_ASKS_FOR_EMPTY = re.compile(
    r"\b(?:skeletons?|stubs?|templates?|scaffold\w*|boilerplate|placeholders?|empty|abstract"
    r"|comments?|todo|outline|no-?op|does nothing|do nothing|pass statement|nothing|null"
    r"|starter|custom exception|signature|what does|explain|declar\w+|pass)\b"
    r"|뼈대|골격|틀만|껍데기|빈|추상|인터페이스|주석|템플릿|아무 ?것도|아무 일도|스텁|언제 쓰|무엇"
    r"|선언|시그니처|예외",
    re.IGNORECASE,
)
_ASKS_FOR_CODE = re.compile(
    r"\b(?:functions?|program|scripts?|code|class|quer(?:y|ies)|sql|python|java\w*|html|css|bash"
    r"|regex|rust|golang|typescript|ruby|php|kotlin|swift|method|algorithm|loop|one-liner"
    r"|command|react|component|dockerfile|makefile)\b|\bc(?:\+\+|#)"
    r"|함수|프로그램|스크립트|코드|클래스|쿼리|파이썬|자바|정규식|메서드|알고리즘|반복문|명령어"
    r"|컴포넌트",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(
    r"(?:\b(?:here is|here['’]s|below is|following is|see|the following)\b[^\n]{0,80}"
    r"\b(?:code|function|script|program|query|snippet|solution|class|command|implementation"
    r"|example)\b"
    r"[^\n]{0,60}|(?:다음|아래)(?:은|는|의)?\s*[^\n]{0,40}(?:코드|함수|스크립트|프로그램"
    r"|쿼리)[^\n]{0,20})[:.]?\s*"
)
_CODE_SIGN = re.compile(r"[{}=<>]|\w\(|```|`|\bselect\b|;\s*$", re.IGNORECASE)
_LONGEST_READ = 8000
# Where code is asked for, one of these stands in the instruction.
_ASKING_MARKS = (
    *("function", "program", "script", "code", "class", "quer", "sql", "python", "java", "html"),
    *("css", "bash", "regex", "rust", "golang", "ruby", "php", "kotlin", "swift", "method"),
    *("algorithm", "loop", "one-liner", "command", "react", "component", "dockerfile", "makefile"),
    *("c++", "c#", "함수", "프로그램", "스크립트", "코드", "클래스", "쿼리", "파이썬", "자바"),
    *("정규식", "메서드", "알고리즘", "반복문", "명령어", "컴포넌트"),
)
# Something of these stands in any code and in any announcement of it.
_SIGNS = (
    *("#", "//", "--", "/*", "<!", "{", "%", ";;", "def ", "function", "pass", "todo", "...", "=>"),
    *("code", "script", "program", "query", "snippet", "solution", "class", "command", "example"),
    *("implement", "코드", "함수", "스크립트", "프로그램", "쿼리", '"""', "???"),
)
_MOST_IDLE_LINES = 40


def _empty_code(record: RecordView) -> str | None:
    output = record.output
    if "```" in output:
        found = _find_empty_block(output)
    elif not _asks_for_code(record) or not holds_any(record.lower_output, _SIGNS):
        return None
    elif _COMMENT.search(output) or _DEFINITION.search(output) or _FRAME.fullmatch(output.strip()):
        found = _find_idle(output)
    elif _ANNOUNCES.fullmatch(output) and not _CODE_SIGN.search(output):
        found = f"code is announced and none follows: {quote(output)}"
    else:
        return None
    return None if found and _ASKS_FOR_EMPTY.search(record.instruction) else found


def _asks_for_code(record: RecordView) -> bool:
    return holds_any(record.lower_instruction, _ASKING_MARKS) and bool(
        _ASKS_FOR_CODE.search(record.instruction)
    )


def _find_empty_block(output: str) -> str | None:
    """All blocks of an output must be idle: an explained call may stand in a block of its own."""
    blocks = [found[1] or found[2] or "" for found in _FENCE.finditer(output)]
    reasons = [_find_idle(block) for block in blocks]
    return reasons[0] if reasons and all(reasons) else None


def _find_idle(code: str) -> str | None:
    """Say what is wrong with code that does nothing."""
    if not code.strip():
        return "a block of code is empty"
    bare = _COMMENT.sub("", code[:_LONGEST_READ])
    if not bare.strip():
        return f"the code is comments alone: {quote(code)}"
    lines = [line.strip() for line in bare.splitlines() if line.strip()]
    if len(lines) <= _MOST_IDLE_LINES and all(_FRAME.fullmatch(line) for line in lines):
        return f"the code does nothing: {quote(code)}"
    return None


CODE_RULES = (
    Rule(
        "empty-code",
        ("en", "ko"),
        "fatal",
        "Code was asked for, and what stands there does nothing.",
        _empty_code,
        examples=(
            Example("en", "Write a function that adds two numbers.", "def add(a, b):\n    pass"),
            Example(
                "ko", "두 수를 더하는 함수를 쓰세요.", "```python\n# 여기에 코드를 작성하세요\n```"
            ),
        ),
        near_misses=(
            Example(
                "en",
                "Write a custom exception in Python.",
                "class PlumError(Exception):\n    pass",
            ),
            Example("ko", "파이썬 함수의 뼈대만 만드세요.", "def work():\n    pass"),
        ),
    ),
)
