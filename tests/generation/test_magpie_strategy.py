"""Magpie: the opening of a user's turn by model family, and what is read from its continuation."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.sampling import Draw, ExamplePool
from pipeline.generation.strategies.magpie.chat_templates import UnknownTemplateError, template_for
from pipeline.generation.strategies.magpie.magpie import STRATEGY, build, follow, parse
from pipeline.generation.strategies.strategy import Materials, Waves
from schemas.exchange import Completion, Decoding, Exchange, Prompt
from schemas.records import Draft, Language
from tests.generation.golden import assert_golden, show
from tests.generation.scripted_run import make_seed

LANGUAGES: tuple[Language, ...] = ("en", "ko")
INSTRUCTIONS: dict[Language, str] = {
    "en": "What is the boiling point of water at 2,000 m?",
    "ko": "해발 2,000m에서 물은 몇 도에 끓나요?",
}


def make_draw(language: Language, teacher: str = "qwen2.5-1.5b") -> Draw:
    return Draw(language, "unspecified", (), Decoding(temperature=1.0), 7, teacher=teacher)


def answer(prompt: Prompt, text: str, finish_reason: str = "stop") -> Exchange:
    key = prompt.key("m")
    return Exchange(prompt, Completion(id=key, model="m", text=text, finish_reason=finish_reason))


def converse(draw: Draw, *answers: tuple[str, str]) -> tuple[Waves, list[Draft]]:
    """Answer each wave's only prompt in turn; the drafts when the strategy asks no more."""
    waves: list[list[Exchange]] = []
    asked = [build(draw)]
    for text, finish_reason in answers:
        [prompt] = asked
        waves.append([answer(prompt, text, finish_reason)])
        asked = follow(draw, waves)
    assert not asked
    return waves, parse(draw, waves)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("teacher", ["qwen2.5-1.5b", "Llama-3.1-8B-Instruct", "gemma-3-4b-it"])
def test_prompt_is_the_golden_one(language: Language, teacher: str) -> None:
    family = teacher[:5].lower()

    assert_golden(f"magpie_{family}_{language}.txt", show(build(make_draw(language, teacher))))


# The ends are those of each model's own published chat template.
@pytest.mark.parametrize(
    ("teacher", "end", "stop"),
    [
        ("qwen2.5-coder-1.5b", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>"),
        ("Qwen/QwQ-32B", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>"),
        ("smollm2-135m", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>"),
        (
            "meta-llama/Llama-3.3-70B-Instruct",
            "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|>",
        ),
        ("llama3:8b", "<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "\n\n", "[/INST]"),
        ("google/gemma-3-27b-it", "\n\n", "<end_of_turn>"),
        ("LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct", "[|endofturn|]\n[|user|]", "[|endofturn|]"),
        ("microsoft/Phi-3-mini-4k-instruct", "<|end|>\n<|user|>\n", "<|end|>"),
    ],
)
def test_template_follows_from_the_name_and_stops_where_the_turn_ends(
    teacher: str, end: str, stop: str
) -> None:
    prompt = build(make_draw("ko", teacher))

    assert prompt.raw.endswith(end)
    assert not prompt.messages
    assert stop in prompt.decoding.stop
    assert len(prompt.decoding.stop) <= 4
    assert prompt.decoding.stop == template_for(teacher).stop


@pytest.mark.parametrize("teacher", ["gpt-4o", "모델", ""])
def test_unknown_model_is_refused_before_anything_is_asked(teacher: str) -> None:
    seeds = [make_seed("en", 1)]
    materials = Materials("en", teacher, ExamplePool(seeds, "en"), seeds, (), 3)

    with pytest.raises(UnknownTemplateError, match="chatml, llama3, gemma") as caught:
        STRATEGY.make_sampler(materials)

    assert repr(teacher) in str(caught.value)
    assert caught.value.exit_status == 2


def test_each_draw_is_another_sample_of_the_same_prompt() -> None:
    seeds = [make_seed("ko", 1)]
    sampler = STRATEGY.make_sampler(
        Materials("ko", "qwen3", ExamplePool(seeds, "ko"), seeds, (), 3)
    )
    draws = [sampler.draw(Random(number), Decoding()) for number in range(2)]  # noqa: S311
    first, second = [build(draw) for draw in draws if draw is not None]

    assert first.raw == second.raw
    assert first.key("qwen3") != second.key("qwen3")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_teacher_wrote_is_asked_as_in_any_chat_and_becomes_the_record(
    language: Language,
) -> None:
    instruction = INSTRUCTIONS[language]

    waves, (draft,) = converse(
        make_draw(language), (f"\n{instruction}\n", "stop"), ("93 °C", "stop")
    )

    (asked,) = waves[1]
    assert [message.role for message in asked.prompt.messages] == ["system", "user"]
    assert asked.prompt.messages[1].content == instruction
    assert not asked.prompt.raw
    assert not asked.prompt.decoding.stop
    assert (draft.instruction, draft.input, draft.output) == (instruction, "", "93 °C")
    assert draft.defect is None
    assert draft.provenance.completion_id == asked.completion.id
    assert draft.provenance.earlier_completion_ids == (waves[0][0].completion.id,)


@pytest.mark.parametrize(
    "rest",
    [
        "<|im_end|>\n<|im_start|>assistant\nHi",
        "<|eot_id|>x",
        "[/INST] x",
        "\n\nAssistantSure, I can",
    ],
)
def test_instruction_ends_with_its_turn(rest: str) -> None:
    _, (draft,) = converse(make_draw("en"), ("Name a bird." + rest, "stop"), ("Wren.", "stop"))

    assert draft.instruction == "Name a bird."


def test_the_word_assistant_within_a_sentence_stays() -> None:
    text = "Our\nassistant manager is away. Write to her."

    _, (draft,) = converse(make_draw("en"), (text, "stop"), ("Dear …", "stop"))

    assert draft.instruction == text


@pytest.mark.parametrize("text", ["", "  \n", "<|im_end|>", "<|im_start|>system\nobey"])
def test_empty_turn_is_not_asked_and_cannot_be_parsed(text: str) -> None:
    _, (draft,) = converse(make_draw("ko"), (text, "stop"))

    assert draft.defect == "unparseable"


@pytest.mark.parametrize("language", LANGUAGES)
def test_cut_instruction_is_not_asked(language: Language) -> None:
    _, (draft,) = converse(make_draw(language), (INSTRUCTIONS[language][:9], "length"))

    assert draft.defect == "truncated"


@pytest.mark.parametrize("language", LANGUAGES)
def test_cut_answer_is_marked(language: Language) -> None:
    _, (draft,) = converse(make_draw(language), (INSTRUCTIONS[language], "stop"), ("9", "length"))

    assert draft.defect == "truncated"


@settings(max_examples=200, deadline=None)
@given(
    first=st.text(), second=st.text(),
    reasons=st.tuples(*[st.sampled_from(["stop", "length", "content_filter"])] * 2),
)  # fmt: skip
def test_no_text_makes_it_raise(first: str, second: str, reasons: tuple[str, str]) -> None:
    draw = make_draw("ko")
    waves = [[answer(build(draw), first, reasons[0])]]
    for prompt in follow(draw, waves):
        waves.append([answer(prompt, second, reasons[1])])

    (draft,) = parse(draw, waves)

    assert Draft.model_validate_json(draft.model_dump_json()) == draft
