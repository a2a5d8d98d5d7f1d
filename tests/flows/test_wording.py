"""A record's words are found in its answer, however the answer writes them."""

import json

import pytest

from flows.wording import says
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from schemas.records import Draft, Language, Provenance

ORIGIN = Provenance(strategy="s", teacher="t", completion_id="c")
EN = ('Print a line break in "C".', 'Use `puts("a\\nb");` and\nrun it. 😀')
KO = ("봄에 피는 꽃을 말해 줘.", "개나리, 진달래가 핍니다.\n- 벚꽃도요!")


def answer(text: str, asked: str = "Write a task.") -> list[Exchange]:
    prompt = Prompt(
        messages=(Message(role="user", content=asked),),
        decoding=Decoding(),
        strategy="s",
        language="en",
    )
    return [Exchange(prompt, Completion(id="c", model="t", text=text, finish_reason="stop"))]


def make_draft(instruction: str, output: str, language: Language) -> Draft:
    return Draft(instruction=instruction, output=output, language=language, provenance=ORIGIN)


@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize(("texts", "language"), [(EN, "en"), (KO, "ko")])
def test_words_are_found_in_json(
    texts: tuple[str, str], language: Language, is_ascii: bool
) -> None:
    text = json.dumps({"instruction": texts[0], "output": texts[1]}, ensure_ascii=is_ascii)

    assert says(answer(text), make_draft(*texts, language))


@pytest.mark.parametrize(("texts", "language"), [(EN, "en"), (KO, "ko")])
def test_words_are_found_in_plain_text(texts: tuple[str, str], language: Language) -> None:
    text = f"1. Instruction: {texts[0]}\n1. Output:\n{texts[1]}\n###"

    assert says(answer(text), make_draft(*texts, language))


def test_instruction_may_be_from_the_prompt_and_output_may_not() -> None:
    draft = make_draft(*KO, "ko")

    assert says(answer(KO[1], asked=KO[0]), draft)
    assert not says(answer(KO[0], asked=KO[1]), draft)


def test_other_word_is_told() -> None:
    assert not says(answer(f"{KO[0]} {KO[1]}".replace("개나리", "목련")), make_draft(*KO, "ko"))
