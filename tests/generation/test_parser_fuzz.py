"""No answer defeats a strategy: whatever a teacher writes, each conversation ends in drafts.

Every strategy of the registry is asked through its own sampler, so that new ones are covered.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.config import StrategyName
from pipeline.generation.documents import Document
from pipeline.generation.sampling import Draw, ExamplePool
from pipeline.generation.strategies.registry import STRATEGIES
from pipeline.generation.strategies.strategy import Materials
from schemas.exchange import Completion, Exchange, Prompt
from schemas.records import LANGUAGES, Draft, Language, SeedTask, TaskType

MOST_WAVES = 8
KINDS: tuple[TaskType, ...] = ("classification", "code", "rewriting", "brainstorming")

WHOLE = (
    '{"instruction": "Add them.", "input": "2, 3", "output": "5"}',
    '{"지시": "두 수를 더하세요.", "입력": "2, 3", "출력": "5"}',
    '{"input": "two apples", "output": "2"}',
    '{"labels": ["참", "거짓"], "output": "참", "input": "해는 뜬다."}',
    '{"1": "Name a river.", "2": "강을 말하세요.", "9": "Sum up the text.", "10": "Is it so?"}',
    '{"1": "label", "2": "text", "3": "분류", "4": "yes", "5": "예"}',
    "###\n4. Instruction: Name it.\n4. Input:\n<noinput>\n4. Output:\nRed.\n",
    "###\n４．지시：이름을 말해요.\n【입력】 없음\n【출력】 빨강.\n",
)
FRAGMENTS = (
    *WHOLE,
    "###", "##", "#", "4. ", "5.", "٣. ", "20.", "９．", "9" * 400, "1e999", "-", "---", "\n",
    "\n\n", "\r\n", "\t", "\u2028", "\x0b", "\x00", "\x1b[0m", "\x7f", "\ufeff", "\u202e", "\ud800",
    "\udc00", "\U0001f600", "e\u0301", "\u1112\u1161\u11ab", "Instruction:", "Input:", "Output:",
    "지시:", "입력：", "출력:", "【지시】", "〈입력〉", "No input", "<noinput>", "없음",
    "Task 5", "과제 5:",
    "```", "```json", "{", "}", "[", "]", '"', "'", "“", "”", "\\", "\\u", "\\ud83d", "\\n",
    ":", "：", ",", "，", '"instruction": ', '"input":', '"output": "', '"1": ', '"2":"', "null",
    "true", "NaN",
    "[" * 50, '{"input":' * 20, "yes", "아니요", "label", "분류", "**", "__", "<|im_end|>",
    "</s>",
    "<|im_start|>user\n", "{count}", "%s", "$", " " * 40, "가" * 40, "word " * 20,
)  # fmt: skip
TEXT = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=14).map("".join)
ANSWERS = st.lists(TEXT, min_size=1, max_size=3)
REASONS = st.sampled_from(["stop", "length", "content_filter", ""])


def make_seed(language: Language, number: int) -> SeedTask:
    kind = KINDS[number % len(KINDS)]
    return SeedTask(
        id=f"{language}-{number}",
        language=language,
        task_type=kind,
        instruction={"en": f"Describe mountain {number}.", "ko": f"{number}번 산 설명"}[language],
        input="" if number % 2 else "A high one, {with} braces.",
        output="a" if kind == "classification" else f"It is {number} metres high.",
    )


def make_document(language: Language) -> Document:
    title = {"en": "Why is the sky blue?", "ko": "하늘은 왜 파란가요?"}[language]
    answer = "Short waves are scattered more. " * 8
    return Document(id="d1", title=title, answer=answer, language=language, licence="CC0-1.0")


@cache
def draw_for(name: StrategyName, language: Language) -> Draw:
    """Draw as a run does, once: what varies in these tests are the answers."""
    strategy = STRATEGIES[name]
    seeds = [make_seed(each, number) for each in LANGUAGES for number in range(24)]
    documents = [make_document(each) for each in LANGUAGES]
    pool = ExamplePool(seeds, language)
    sampler = strategy.make_sampler(
        Materials(language, "qwen2.5-coder-1.5b-instruct", pool, seeds, documents, 3)
    )
    draw = sampler.draw(Random(1), strategy.decoding)  # noqa: S311
    assert draw is not None
    return draw


def converse(
    name: StrategyName, language: Language, answers: Sequence[str], reason: str
) -> list[Draft]:
    """Ask until nothing more is asked; the answers take turns."""
    strategy, draw = STRATEGIES[name], draw_for(name, language)
    waves: list[list[Exchange]] = []
    prompts = [strategy.build(draw)]
    asked = 0
    while prompts:
        wave: list[Exchange] = []
        for prompt in prompts:
            prompt.model_dump_json()  # it can be sent
            wave.append(Exchange(prompt, complete(prompt, answers[asked % len(answers)], reason)))
            asked += 1
        waves.append(wave)
        assert len(waves) <= MOST_WAVES
        prompts = strategy.follow(draw, waves)
    return strategy.parse(draw, waves)


def complete(prompt: Prompt, text: str, reason: str) -> Completion:
    return Completion(id=prompt.key("m"), model="m", text=text, finish_reason=reason)


def check(drafts: Sequence[Draft]) -> None:
    """Check the law: at least one draft, and each can be written and read again."""
    assert drafts
    for draft in drafts:
        assert Draft.model_validate_json(draft.model_dump_json()) == draft


NAMES: list[StrategyName] = sorted(STRATEGIES)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=2_000 // len(NAMES), deadline=None)
@given(language=st.sampled_from(LANGUAGES), answers=ANSWERS, reason=REASONS)
def test_every_conversation_ends_in_drafts(
    name: StrategyName, language: Language, answers: list[str], reason: str
) -> None:
    check(converse(name, language, answers, reason))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100_000 // len(NAMES) + 1, deadline=None, database=None)
@given(language=st.sampled_from(LANGUAGES), answers=ANSWERS, reason=REASONS)
def test_every_conversation_of_a_hundred_thousand_ends_in_drafts(
    name: StrategyName, language: Language, answers: list[str], reason: str
) -> None:
    check(converse(name, language, answers, reason))


# Each made a scan of some pattern start anew at each of its places, or might.
ENDLESS = (
    " ", "\n", "\t4. ", "#", "4. ", "9", ", ", '" ', '": ', "[", "{", "\\", "'", "*", "_",
    "가", "-", '"input": ', '{"a":1, "input": ', '"input": [1, ', '"1": "', "Output: ", "\n5.    x",
    "###\n",
    "4. Instruction: ", "출력：", "\u3000", "【", "\n---", "task 1 ",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_answer_that_repeats_itself_to_the_token_limit_is_read(name: StrategyName) -> None:
    # Ten thousand characters: what is quadratic takes minutes here, what is linear a moment.
    for piece in ENDLESS:
        endless = piece * (10_000 // len(piece))
        opened = '{"instruction": "a", "input": "b", "output": "c' + endless + "x"
        for text in (
            endless,
            opened,
            '"output": "c"' + endless + "x",
            "4. Output:" + endless + "x",
        ):
            check(converse(name, "en", [text], "length"))
