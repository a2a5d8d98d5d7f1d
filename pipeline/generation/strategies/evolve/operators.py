"""The operators of Evol-Instruct and the prompts that apply them.

After WizardLM (arXiv:2304.12244): five in-depth operators (section 3.2: add constraints, deepening,
concretising, more reasoning steps, complicate the input) and in-breadth evolving, each with the
same chance. Complicating an input is left out where the parent has none. An in-depth rewrite may
add 10 to 20 words, the number that the paper gives; in Korean that is five to ten eojeol. The words
are ours.
"""

from typing import Any, Literal

from pipeline.generation.sampling import Example
from schemas.records import Language

Operator = Literal["constraint", "deepen", "concretise", "reasoning", "input", "breadth"]

_WITHOUT_INPUT: tuple[Operator, ...] = (
    "constraint",
    "deepen",
    "concretise",
    "reasoning",
    "breadth",
)
_WITH_INPUT: tuple[Operator, ...] = (*_WITHOUT_INPUT, "input")

EVOLVED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"instruction": {"type": "string"}, "input": {"type": "string"}},
    "required": ["instruction", "input"],
    "additionalProperties": False,
}

_DEPTH: dict[Language, str] = {
    "en": """\
You rewrite tasks so that they become harder for an assistant, yet stay reasonable and clear to a \
person. A task is a JSON object with "instruction" and "input"; "input" holds the material to work \
on, or "" if there is none. You are given one task and one method.
- Apply the method and nothing else. Add about 10 to 20 words; do not make it wordy.
- Keep everything that the task already says, with its tables, code and data.
- Do not solve the task, and do not write about the rewriting.
- Write in English. Leave text in other languages as it is.
Reply with the new task as a JSON object and nothing else.""",
    "ko": """\
당신은 과제를 더 어렵게 고쳐 씁니다. 다만 사람이 읽기에 자연스럽고 뜻이 분명해야 합니다. 과제는 \
"instruction"과 "input"이 있는 JSON 객체이고, "input"에는 다룰 자료가 들어가며 없으면 ""입니다. \
과제 하나와 방법 하나를 드립니다.
- 그 방법만 적용합니다. 늘어나는 분량은 다섯 어절에서 열 어절 정도로 하고 장황하게 쓰지 않습니다.
- 과제에 이미 있는 내용과 표, 코드, 자료는 빠뜨리지 않습니다.
- 과제를 풀지 말고, 고쳐 쓰는 일에 관한 말도 하지 않습니다.
- 자연스러운 한국어로 쓰되, 외국어로 된 자료는 그대로 둡니다.
새 과제를 JSON 객체로만 답합니다.""",
}
_BREADTH: dict[Language, str] = {
    "en": """\
You invent a new task for an assistant, inspired by a given one. A task is a JSON object with \
"instruction" and "input"; "input" holds the material to work on, written out in full, or "" if \
there is none.
- Stay in the same field, but choose a rarer matter that people seldom ask about.
- Keep about the same length and difficulty.
- The task must be reasonable and clear to a person, and can be done in text.
- Do not solve the task, and do not write about the given one.
- Write in English, except text that is to be translated from another language.
Reply with the new task as a JSON object and nothing else.""",
    "ko": """\
당신은 과제 하나를 실마리로 삼아 전혀 새로운 과제를 지어냅니다. 과제는 "instruction"과 "input"이 \
있는 JSON 객체이고, "input"에는 다룰 자료 전체가 들어가며 없으면 ""입니다.
- 분야는 같게 하되, 사람들이 좀처럼 묻지 않는 드문 소재를 고릅니다.
- 길이와 난이도는 비슷하게 맞춥니다.
- 사람이 읽기에 자연스럽고 뜻이 분명하며, 글로 해낼 수 있는 과제여야 합니다.
- 과제를 풀지 말고, 실마리가 된 과제에 관한 말도 하지 않습니다.
- 번역할 외국어 글 말고는 자연스러운 한국어로 씁니다.
새 과제를 JSON 객체로만 답합니다.""",
}
_METHODS: dict[Language, dict[Operator, str]] = {
    "en": {
        "constraint": "Add one more condition or requirement that the answer has to meet.",
        "deepen": "Let the task ask about its subject in more depth and breadth.",
        "concretise": "Replace general notions with specific ones: real names, figures, places.",
        "reasoning": "Where a single step of thought would do, make several steps necessary.",
        "input": "Make the input more demanding: more data, a table, code, or an awkward case.",
        "breadth": "A new task of the same field.",
    },
    "ko": {
        "constraint": "답이 지켜야 할 조건이나 요구 사항을 하나 더합니다.",
        "deepen": "같은 소재를 더 깊고 넓게 묻도록 합니다.",
        "concretise": "막연한 말을 실제 이름, 숫자, 장소 같은 구체적인 말로 바꿉니다.",
        "reasoning": "한 번만 생각하면 풀리던 것을 여러 단계를 거쳐야 풀리게 합니다.",
        "input": "input의 자료를 더 까다롭게 만듭니다. 자료나 표, 코드를 늘리거나 예외를 넣습니다.",
        "breadth": "같은 분야의 새 과제.",
    },
}
_ASK: dict[Language, str] = {"en": "Method: {method}\nTask:\n", "ko": "방법: {method}\n과제:\n"}


def choose_operator(parent: Example, sample_index: int) -> Operator:
    """Pick one of the operators that apply to a parent, the same one each time."""
    operators = _WITH_INPUT if parent.input else _WITHOUT_INPUT
    return operators[sample_index % len(operators)]


def describe_work(operator: Operator, language: Language) -> str:
    """Write the system message: what evolving is and what it must keep."""
    return _BREADTH[language] if operator == "breadth" else _DEPTH[language]


def name_method(operator: Operator, language: Language) -> str:
    """Write the head of a turn, behind which the task to evolve stands."""
    return _ASK[language].format(method=_METHODS[language][operator])
