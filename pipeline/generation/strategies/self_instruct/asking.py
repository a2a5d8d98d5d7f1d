"""Write the prompts of Self-Instruct's steps; the fixed part first, so that a prefix cache helps.

Only the kinds are asked for with the likeliest words (temperature 0). The original asks for
instances so too, with a presence penalty of 1.5; without one, small models repeat a phrase up to
the token limit, so instances are drawn as the run says.
"""

from collections.abc import Sequence
from typing import Any

from pipeline.generation.sampling import Draw, Example
from pipeline.generation.strategies.self_instruct.prompts import (
    BEGIN,
    CONTINUE,
    DETECT,
    DETECT_EXAMPLES,
    INPUT_FIRST,
    INVENT,
    LABEL_EXAMPLES,
    LABEL_FIRST,
    PLACES,
    VERDICTS,
    LabelPlace,
    one_line,
    show_json,
)
from schemas.exchange import Decoding, Message, Prompt
from schemas.records import Language, TaskType

TASK_COUNT = 8
"""Instructions that one conversation asks for."""
_SHOWN_INSTANCES = 3
_PLACE_ORDER: tuple[LabelPlace, ...] = ("first", "second", "last")


def ask_tasks(draw: Draw) -> Prompt:
    """Show the examples' instructions as written by the teacher and ask for more."""
    shown_count = len(draw.examples)
    numbers = range(shown_count + 1, shown_count + 1 + TASK_COUNT)
    begin = BEGIN[draw.language].format(count=shown_count)
    go_on = CONTINUE[draw.language].format(count=TASK_COUNT, first=numbers[0], last=numbers[-1])
    messages = (
        Message(role="system", content=INVENT[draw.language]),
        Message(role="user", content=begin),
        Message(
            role="assistant",
            content=_number([one_line(example.instruction) for example in draw.examples]),
        ),
        Message(role="user", content=go_on),
    )
    schema = _object({str(number): {"type": "string"} for number in numbers})
    return _make_prompt(draw, messages, schema, draw.decoding)


def ask_kinds(draw: Draw, tasks: Sequence[str]) -> Prompt:
    label, other = VERDICTS[draw.language]
    examples = DETECT_EXAMPLES[draw.language]
    verdicts = {str(i): label if is_one else other for i, (_, is_one) in enumerate(examples, 1)}
    messages = (
        Message(role="system", content=DETECT[draw.language]),
        Message(role="user", content=_number([task for task, _ in examples])),
        Message(role="assistant", content=show_json(verdicts)),
        Message(role="user", content=_number(tasks)),
    )
    verdict = {"type": "string", "enum": [label, other]}
    schema = _object({str(i): verdict for i in range(1, len(tasks) + 1)})
    return _make_prompt(draw, messages, schema, _greedy(draw.decoding))


def ask_by_input(draw: Draw, task: str) -> Prompt:
    """Ask input first, after worked examples of the draw that are no classifications."""
    examples = [example for example in draw.examples if example.task_type != "classification"]
    messages = (
        Message(role="system", content=INPUT_FIRST[draw.language]),
        *(turn for example in examples[:_SHOWN_INSTANCES] for turn in _show_instance(example)),
        Message(role="user", content=show_json({"task": task})),
    )
    schema = _object({"input": {"type": "string"}, "output": {"type": "string"}})
    return _make_prompt(draw, messages, schema, draw.decoding)


def ask_by_label(draw: Draw, task: str, position: int) -> Prompt:
    """Ask label first; which one follows from the draw, so that all labels get their share."""
    place = _PLACE_ORDER[(draw.sample_index + position) % len(_PLACE_ORDER)]
    messages = (
        Message(role="system", content=LABEL_FIRST[draw.language]),
        *_show_labels(draw.language),
        _ask_label(draw.language, task, place),
    )
    labels = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 12}
    text = {"type": "string"}
    schema = _object({"labels": labels, "output": text, "input": text})
    return _make_prompt(draw, messages, schema, draw.decoding, "classification")


def _show_instance(example: Example) -> tuple[Message, Message]:
    return (
        Message(role="user", content=show_json({"task": one_line(example.instruction)})),
        Message(
            role="assistant",
            content=show_json({"input": example.input, "output": example.output}),
        ),
    )


def _show_labels(language: Language) -> list[Message]:
    turns: list[Message] = []
    for task, place, labels, label, given in LABEL_EXAMPLES[language]:
        answer = show_json({"labels": labels, "output": label, "input": given})
        turns += [_ask_label(language, task, place), Message(role="assistant", content=answer)]
    return turns


def _ask_label(language: Language, task: str, place: LabelPlace) -> Message:
    content = show_json({"task": task, "place": PLACES[language][place]})
    return Message(role="user", content=content)


def _number(tasks: Sequence[str]) -> str:
    return show_json({str(number): task for number, task in enumerate(tasks, 1)})


def _greedy(decoding: Decoding) -> Decoding:
    """Judge with the likeliest words, as the original does."""
    return decoding.model_copy(update={"temperature": 0.0})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _make_prompt(
    draw: Draw,
    messages: Sequence[Message],
    schema: dict[str, Any],
    decoding: Decoding,
    task_type: TaskType = "unspecified",
) -> Prompt:
    return Prompt(
        messages=tuple(messages),
        decoding=decoding,
        strategy="self_instruct",
        language=draw.language,
        task_type=task_type,
        seed_ids=draw.seed_ids,
        response_schema=schema,
        sample_index=draw.sample_index,
    )
