"""KoAlpaca's way by translation: what is drawn, asked, read, marked as broken and traced."""

import json
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.sampling import Draw, Example, ExamplePool
from pipeline.generation.strategies.koalpaca.homonyms import has_wrong_sense
from pipeline.generation.strategies.koalpaca.translatable import is_translatable
from pipeline.generation.strategies.koalpaca.translate import (
    STRATEGY,
    TranslationSampler,
    build,
    follow,
    parse,
)
from pipeline.generation.strategies.koalpaca.translation_reading import read_translations
from pipeline.generation.strategies.koalpaca.untranslated import drop_kept_lines, is_untranslated
from pipeline.generation.strategies.reading.numbered_json import find_items
from pipeline.generation.strategies.strategy import Materials
from schemas.exchange import Completion, Decoding, Exchange, Prompt
from schemas.records import Draft, Language, SeedTask, TaskType
from tests.generation.golden import assert_golden, show

SOURCES: dict[Language, tuple[Example, ...]] = {
    "ko": (
        Example("Name three birds that cannot fly.", "", "SECRET-1", "brainstorming", ("en-1",)),
        Example("Shorten the sentence.", "The meeting was put off.", "SECRET-2", "rewriting",
                ("en-2",)),
        Example("Is the review positive or negative?", "I would buy it again.", "SECRET-3",
                "classification", ("en-3",)),
    ),
    "en": (
        Example("날지 못하는 새를 세 가지 말해 주세요.", "", "비밀-1", "brainstorming", ("ko-1",)),
        Example("다음 문장을 줄이세요.", "화요일에 하려던 회의가 미뤄졌습니다.", "비밀-2",
                "rewriting", ("ko-2",)),
        Example("이 후기는 긍정인가요, 부정인가요?", "다음에 또 살 거예요.", "비밀-3",
                "classification", ("ko-3",)),
    ),
}  # fmt: skip
# What a good teacher would make of them: the sources of the other direction, in the same order.
TRANSLATIONS: dict[Language, list[tuple[str, str]]] = {
    "ko": [(source.instruction, source.input) for source in SOURCES["en"]],
    "en": [(source.instruction, source.input) for source in SOURCES["ko"]],
}
OUTPUTS: dict[Language, list[str]] = {
    "ko": ["타조, 펭귄, 키위입니다.", "회의가 미뤄졌습니다.", "긍정"],
    "en": ["Ostrich, penguin, kiwi.", "Meeting postponed.", "positive"],
}


def make_draw(language: Language) -> Draw:
    return Draw(language, "unspecified", SOURCES[language], Decoding(), 5)


def write_tasks(tasks: Sequence[tuple[str, str]]) -> str:
    items = [
        {"number": number, "instruction": instruction, "input": given}
        for number, (instruction, given) in enumerate(tasks, 1)
    ]
    return json.dumps({"tasks": items}, ensure_ascii=False)


def write_answers(outputs: Sequence[str]) -> str:
    items = [{"number": number, "output": output} for number, output in enumerate(outputs, 1)]
    return json.dumps({"answers": items}, ensure_ascii=False)


def answer(prompt: Prompt, text: str, finish_reason: str = "stop") -> Exchange:
    completion = Completion(id=prompt.key("m"), model="m", text=text, finish_reason=finish_reason)
    return Exchange(prompt, completion)


def converse(language: Language, *texts: str, finish_reason: str = "stop") -> list[Draft]:
    """Play a conversation whose last answer ends for the given reason."""
    draw = make_draw(language)
    waves: list[list[Exchange]] = []
    prompts = [build(draw)]
    for place, text in enumerate(texts, 1):
        reason = finish_reason if place == len(texts) else "stop"
        [prompt] = prompts
        waves.append([answer(prompt, text, reason)])
        prompts = follow(draw, waves)
    return parse(draw, waves)


def make_seed(name: str, language: Language, instruction: str, kind: TaskType = "code") -> SeedTask:
    return SeedTask(
        id=name, language=language, task_type=kind, instruction=instruction, output="SECRET"
    )


def make_sampler(language: Language, seeds: list[SeedTask]) -> TranslationSampler:
    own = [make_seed("own", "en", "Sort it."), make_seed("eigen", "ko", "정렬해 줘.")]
    return TranslationSampler(Materials(language, "m", ExamplePool(own, language), seeds, [], 3))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_prompts_are_the_golden_ones(language: Language) -> None:
    draw = make_draw(language)
    first = build(draw)
    [second] = follow(draw, [[answer(first, write_tasks(TRANSLATIONS[language]))]])

    assert_golden(f"koalpaca_translate_{language}.txt", f"{show(first)}\n\n{show(second)}")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_outputs_are_written_anew_without_sight_of_source_or_its_outputs(
    language: Language,
) -> None:
    draw = make_draw(language)
    first = build(draw)
    [second] = follow(draw, [[answer(first, write_tasks(TRANSLATIONS[language]))]])

    asked = second.messages[-1].content
    assert all(source.output not in show(first) + show(second) for source in draw.examples)
    assert all(source.instruction not in show(second) for source in draw.examples)
    assert all(instruction in asked for instruction, _ in TRANSLATIONS[language])
    assert (second.decoding, second.seed_ids) == (first.decoding, first.seed_ids)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_source_becomes_one_draft_that_names_it(language: Language) -> None:
    drafts = converse(
        language, write_tasks(TRANSLATIONS[language]), write_answers(OUTPUTS[language])
    )

    found = [(draft.instruction, draft.input, draft.output, draft.defect) for draft in drafts]
    assert found == [
        (instruction, given, output, None)
        for (instruction, given), output in zip(
            TRANSLATIONS[language], OUTPUTS[language], strict=True
        )
    ]
    origins = [draft.provenance for draft in drafts]
    names = [source.seed_ids for source in SOURCES[language]]
    assert [origin.seed_ids for origin in origins] == names
    assert [(origin.derived_from,) for origin in origins] == names
    assert [origin.task_type for origin in origins] == [
        source.task_type for source in SOURCES[language]
    ]
    first = build(make_draw(language)).key("m")
    assert all(origin.earlier_completion_ids == (first,) for origin in origins)
    assert all(origin.completion_id != first for origin in origins)
    assert [origin.position for origin in origins] == [0, 1, 2]


def test_task_that_the_translator_skips_is_unparseable_and_shifts_no_other() -> None:
    tasks = [
        {"number": 3, "instruction": TRANSLATIONS["ko"][2][0], "input": TRANSLATIONS["ko"][2][1]},
        {"number": 1, "instruction": TRANSLATIONS["ko"][0][0], "input": ""},
    ]

    drafts = converse("ko", json.dumps(tasks, ensure_ascii=False), write_answers(["타조", "긍정"]))

    assert [draft.defect for draft in drafts] == [None, "unparseable", None]
    assert [draft.output for draft in drafts] == ["타조", "", "긍정"]
    assert drafts[1].provenance.derived_from == "en-2"
    assert drafts[1].provenance.earlier_completion_ids == ()


def test_output_that_the_teacher_skips_is_unparseable() -> None:
    answers = [{"number": 3, "output": "긍정"}, {"number": 1, "output": "타조"}]

    drafts = converse("ko", write_tasks(TRANSLATIONS["ko"]), json.dumps(answers))

    assert [draft.defect for draft in drafts] == [None, "unparseable", None]
    assert drafts[1].instruction == TRANSLATIONS["ko"][1][0]


def test_cut_translation_keeps_what_is_whole_and_is_followed_up() -> None:
    text = write_tasks(TRANSLATIONS["ko"])
    cut = text[: text.index("미뤄졌")]

    draw = make_draw("ko")
    first = answer(build(draw), cut, "length")
    [second] = follow(draw, [[first]])
    drafts = parse(draw, [[first], [answer(second, write_answers(["타조"]))]])

    assert [draft.defect for draft in drafts] == [None, "truncated", "truncated"]
    assert drafts[0].output == "타조"
    assert drafts[1].input == "화요일에 하려던 회의가"


def test_cut_outputs_keep_what_is_whole() -> None:
    text = write_answers(OUTPUTS["en"])

    drafts = converse(
        "en", write_tasks(TRANSLATIONS["en"]), text[: text.index("poned")], finish_reason="length"
    )

    assert [draft.defect for draft in drafts] == [None, "truncated", "truncated"]
    assert [draft.output for draft in drafts] == ["Ostrich, penguin, kiwi.", "Meeting post", ""]


@pytest.mark.parametrize("text", ["죄송합니다만 도와드릴 수 없습니다.", "", "[]"])
def test_unreadable_translation_ends_the_conversation_with_a_draft_for_each_task(text: str) -> None:
    drafts = converse("ko", text)

    assert [draft.defect for draft in drafts] == ["unparseable"] * 3
    assert [draft.output for draft in drafts] == [text, "", ""]


def test_broken_translations_are_not_answered() -> None:
    tasks = [*TRANSLATIONS["ko"][:2], (SOURCES["ko"][2].instruction, SOURCES["ko"][2].input)]
    draw = make_draw("ko")
    first = answer(build(draw), write_tasks(tasks))

    [second] = follow(draw, [[first]])
    drafts = parse(draw, [[first], [answer(second, write_answers(OUTPUTS["ko"][:2]))]])

    assert second.messages[-1].content.count('"number"') == 2
    assert [draft.defect for draft in drafts] == [None, None, "broken-translation"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_lost_input_breaks_a_translation(language: Language) -> None:
    tasks = [(instruction, "") for instruction, _ in TRANSLATIONS[language]]

    drafts = converse(language, write_tasks(tasks), write_answers(["타조, 펭귄, 키위"]))

    assert [draft.defect for draft in drafts] == [None, "broken-translation", "broken-translation"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_invented_input_breaks_a_translation(language: Language) -> None:
    tasks = [(instruction, given or "3") for instruction, given in TRANSLATIONS[language]]

    drafts = converse(language, write_tasks(tasks), write_answers(OUTPUTS[language][1:]))

    assert [draft.defect for draft in drafts] == ["broken-translation", None, None]


@pytest.mark.parametrize(
    ("language", "instruction", "given"),
    [
        (
            "en",
            "Reduce the text to three lines. Each line should end with a noun.",
            "I will reduce the text to three lines. Each line should end with a noun.",
        ),
        (
            "ko",
            "사내 공지를 세 줄로 줄여 주세요. 줄마다 명사로 끝내고 인사말은 빼 주세요.",
            "사내 공지를 세 줄로 줄이겠습니다. 줄마다 명사로 끝내고 인사말은 빼겠습니다.",
        ),
    ],
)
def test_input_that_repeats_the_instruction_breaks_a_translation(
    language: Language, instruction: str, given: str
) -> None:
    tasks = [TRANSLATIONS[language][0], (instruction, given), TRANSLATIONS[language][2]]

    drafts = converse(language, write_tasks(tasks), write_answers(OUTPUTS[language][:2]))

    assert [draft.defect for draft in drafts] == [None, "broken-translation", None]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_output_equal_to_its_input_breaks_a_translation(language: Language) -> None:
    outputs = [OUTPUTS[language][0], f" {TRANSLATIONS[language][1][1]}\n", OUTPUTS[language][2]]

    drafts = converse(language, write_tasks(TRANSLATIONS[language]), write_answers(outputs))

    assert [draft.defect for draft in drafts] == [None, "broken-translation", None]


def test_output_may_equal_its_input_where_the_source_has_it_so() -> None:
    source = Example("Correct the text if it needs it.", "All is well.", "All is well.",
                     "rewriting", ("en-9",))  # fmt: skip
    draw = Draw("ko", "unspecified", (source,), Decoding(), 1)
    first = answer(build(draw), write_tasks([("필요하면 글을 고쳐 주세요.", "모두 괜찮습니다.")]))
    [second] = follow(draw, [[first]])

    [draft] = parse(draw, [[first], [answer(second, write_answers(["모두 괜찮습니다."]))]])

    assert draft.defect is None


def test_no_input_in_words_is_none() -> None:
    tasks = [(TRANSLATIONS["ko"][0][0], "없음"), *TRANSLATIONS["ko"][1:]]

    drafts = converse("ko", write_tasks(tasks), write_answers(OUTPUTS["ko"]))

    assert (drafts[0].input, drafts[0].defect) == ("", None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1. 타조, 펭귄, 키위\n2. 회의 연기\n3. 긍정", id="plain list"),
        pytest.param('{"1": "타조, 펭귄, 키위", "2": "회의 연기", "3": "긍정"}', id="keys"),
        pytest.param(
            '```json\n[{"번호": "1", "출력": "타조, 펭귄, 키위",}, {"번호": 2, "출력": "회의 연기"'
            '}\n{"number": 3, "output": "긍정"}',
            id="fenced, Korean keys, commas astray",
        ),
        pytest.param(
            '[{"output": "타조, 펭귄, 키위"}, {"output": "회의 연기"}, {"output": "긍정"}]',
            id="as many as asked, without numbers",
        ),
    ],
)
def test_outputs_are_read_from_plain_text_too(text: str) -> None:
    drafts = converse("ko", write_tasks(TRANSLATIONS["ko"]), text)

    assert [draft.output for draft in drafts] == ["타조, 펭귄, 키위", "회의 연기", "긍정"]
    assert {draft.defect for draft in drafts} == {None}


def test_number_may_stand_last_and_objects_without_one_are_not_guessed() -> None:
    last = '[{"instruction": "A", "number": 1}, {"instruction": "B", "number": 2}]'
    mixed = '[{"number": 2, "instruction": "B"}, {"instruction": "?"}, {"number": 9}]'
    fewer = '[{"instruction": "A"}, {"instruction": "B"}]'

    found = [
        {number: item.parts["instruction"] for number, item in find_items(text, "input", 3).items()}
        for text in (last, mixed, fewer)
    ]

    assert found == [{1: "A", 2: "B"}, {2: "B"}, {}]


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(["en", "ko"]))
def test_no_answer_defeats_the_strategy(first: str, second: str, language: Language) -> None:
    draw = make_draw(language)
    waves = [[answer(build(draw), write_tasks(TRANSLATIONS[language]))]]
    waves.append([answer(prompt, second) for prompt in follow(draw, waves)])

    assert len(parse(draw, waves)) == 3
    assert len(parse(draw, [[answer(build(draw), first)]])) == 3


def test_each_task_of_the_other_language_is_drawn_once_ten_at_a_time() -> None:
    seeds = [make_seed(f"en-{number}", "en", f"Write step {number}.") for number in range(23)]
    sampler = make_sampler("ko", [*seeds, make_seed("ko-1", "ko", "한 단계를 쓰세요.")])
    rng = Random(2)  # noqa: S311

    draws = [sampler.draw(rng, Decoding()) for _ in range(4)]

    names = [example.seed_ids[0] for draw in draws if draw for example in draw.examples]
    assert [len(draw.examples) if draw else None for draw in draws] == [10, 10, 3, None]
    assert sorted(names) == sorted(seed.id for seed in seeds)
    assert names != [seed.id for seed in seeds]
    assert draws[0] == make_sampler("ko", seeds).draw(Random(2), Decoding())  # noqa: S311


def test_without_tasks_of_the_other_language_there_is_nothing_to_draw() -> None:
    sampler = make_sampler("en", [make_seed("en-1", "en", "Write a step.")])

    assert sampler.draw(Random(0), Decoding()) is None  # noqa: S311


@pytest.mark.parametrize(
    ("language", "kind", "instruction", "is_kept"),
    [
        pytest.param("en", "language", "Which is right?", False, id="kind language"),
        pytest.param("en", "translation", "What does the sign say?", False, id="kind translation"),
        pytest.param("en", "unspecified", "Correct the spelling.", False, id="spelling"),
        pytest.param("en", "creative-writing", "Write a rhyming poem.", False, id="rhyme"),
        pytest.param("en", "code", "Write a SQL query.", True, id="code"),
        pytest.param("en", "unspecified", "Answer in one word.", True, id="one word"),
        pytest.param("ko", "classification", "맞춤법에 맞는 쪽을 고르세요.", False, id="맞춤법"),
        pytest.param("ko", "rewriting", "해요체로 바꿔 주세요.", False, id="해요체"),
        pytest.param("ko", "rewriting", "띄어쓰기를 고쳐 줘.", False, id="띄어쓰기"),
        pytest.param("ko", "classification", "'되'와 '돼' 중 맞는 것은?", False, id="choice"),
        pytest.param("ko", "code", "합을 구하는 함수를 짜 주세요.", True, id="code, Korean"),
        pytest.param("ko", "reasoning", "주장을 뒷받침하는 근거를 쓰세요.", True, id="뒷받침"),
        pytest.param("ko", "extraction", "설문 조사 결과를 표로 만드세요.", True, id="조사"),
        pytest.param("ko", "reasoning", "빈칸에 알맞은 수를 구하세요.", True, id="blank"),
    ],
)
def test_tasks_about_their_own_language_are_left_out(
    language: Language, kind: TaskType, instruction: str, is_kept: bool
) -> None:
    assert is_translatable(make_seed("x", language, instruction, kind)) is is_kept


def test_overlong_task_is_left_out() -> None:
    assert (
        make_sampler("ko", [make_seed("en-1", "en", "x" * 701)]).draw(
            Random(0),  # noqa: S311
            Decoding(),
        )
        is None
    )


@pytest.mark.parametrize(
    ("source", "translation", "is_wrong"),
    [
        ("Find the odd one out: rose, tulip, oak.", "홀수를 찾으세요: 장미, 튤립, 참나무.", True),
        ("Find the odd one out: rose, tulip, oak.", "성격이 다른 하나를 찾으세요.", False),
        ("Why did he make an odd noise?", "그는 왜 홀수 소리를 냈나요?", True),
        ("A number of odd noises were heard.", "여러 홀수 소리가 들렸다.", True),
        ("Is 7 an odd number?", "7은 홀수인가요?", False),
        ("Say odd or even.", "홀수인지 짝수인지 말하세요.", False),
        ("Even the cook was late.", "짝수 요리사가 늦었다.", True),
        ("Return True if n is odd.", "n이 홀수면 True를 반환하세요.", False),
        ("Add the odd values in the list.", "목록에서 홀수인 값을 더하세요.", False),
        ("Is the sum of two odds even?", "두 홀수의 합은 짝수인가요?", False),
        ("Do buses run on odd-dated mornings?", "버스는 홀수 날짜 아침에 다니나요?", False),
        ("Who lives on the even side?", "짝수 쪽에는 누가 사나요?", False),
        ("Who won the match?", "누가 성냥에서 이겼나요?", True),
        ("Strike a match to light the stove.", "성냥을 켜서 난로에 불을 붙이세요.", False),
        ("Describe the river bank.", "강의 은행을 묘사하세요.", True),
        ("Which bank has the lowest fee?", "어느 은행의 수수료가 가장 낮나요?", False),
        ("How far does the steel spring stretch?", "강철 봄은 얼마나 늘어나나요?", True),
        ("How far does the steel spring stretch?", "강철 용수철은 얼마나 늘어나나요?", False),
        ("The crane lifts 3 tonnes.", "두루미는 3톤을 들어 올린다.", True),
        ("The crane spread its wings.", "두루미가 날개를 폈다.", False),
        ("She tied a bow around the box.", "그녀는 상자에 활을 묶었다.", True),
        ("She tied a bow for daily life.", "그녀는 생활을 위해 리본 활동을 했다.", False),
        ("Draw the bow and let the arrow fly.", "활을 당겨 화살을 날리세요.", False),
        ("List them in alphabetical order.", "알파벳 주문으로 나열하세요.", True),
        ("Put the customer's orders in order.", "고객의 주문을 차례로 정리하세요.", False),
        ("Give the first letter of each name.", "각 이름의 첫 편지를 쓰세요.", True),
        ("Write a letter. Sign with your first letter.", "편지를 쓰세요.", False),
        ("Make a Markdown table.", "마크다운 식탁을 만드세요.", True),
        ("Return JSON with the keys name and age.", "열쇠가 name과 age인 JSON을 주세요.", True),
        ("Calculate the mean of 2 and 4.", "2와 4의 의미를 계산하세요.", True),
        ("Find the mean and say what it tells us.", "평균을 구하고 그 의미를 쓰세요.", False),
        ("Tell in order how a pizza is sold.", "피자 주문 과정을 차례로 말하세요.", False),
        ("The batter swung his bat.", "타자가 박쥐를 휘둘렀다.", True),
    ],
)
def test_wrong_sense_of_a_word_is_told_by_what_the_source_speaks_of(
    source: str, translation: str, is_wrong: bool
) -> None:
    assert has_wrong_sense([source], [translation]) is is_wrong


@pytest.mark.parametrize(
    ("source", "translation", "language", "is_left"),
    [
        pytest.param(
            "Rewrite the note in a polite way.", "Rewrite the note in a polite way.", "ko", True,
            id="all English",
        ),
        pytest.param(
            "Rewrite the note in a polite way.", "쪽지를 polite way로 rewrite하세요.", "ko", True,
            id="half English",
        ),
        pytest.param(
            "What is an invoice for?", "인voice는 무엇에 쓰나요?", "ko", True, id="mixed word",
        ),
        pytest.param(
            'Say: "The soup was cold, but the bread was fine."',
            '이렇게 말하세요: "The soup was cold, but the bread was fine."', "ko", True,
            id="long quotation",
        ),
        pytest.param(
            "Write a Python function merge_bookings(bookings) for NASA.",
            "NASA에서 쓸 Python 함수 merge_bookings(bookings)를 작성하세요.", "ko", False,
            id="names and calls",
        ),
        pytest.param(
            "for word in words:\n    print(word)\nreturn total",
            "for word in words:\n    print(word)\nreturn total", "ko", False, id="code",
        ),
        pytest.param(
            'Answer "can wait" or "this week".', '"can wait"나 "this week"로 답하세요.', "ko",
            False, id="quoted labels",
        ),
        pytest.param("It weighs 3 kg.", "무게는 3kg, 길이는 5 cm입니다.", "ko", False, id="units"),
        pytest.param("saxophone", "saxophone", "ko", False, id="one word"),
        pytest.param("", "", "ko", False, id="empty"),
        pytest.param("쪽지를 고쳐 쓰세요.", "쪽지를 고쳐 쓰세요.", "en", True, id="all Korean"),
        pytest.param("쪽지를 고쳐 쓰세요.", "Rewrite the 쪽지.", "en", True, id="a Korean word"),
        pytest.param("쪽지를 고쳐 쓰세요.", "Rewrite the note.", "en", False, id="English"),
        pytest.param(
            "금액 뒤에 '원'을 붙이세요.", "Add '원' behind the amount.", "en", False,
            id="quoted in the source",
        ),
        pytest.param("`이름` 열을 지우세요.", "Drop the column `이름`.", "en", False, id="column"),
    ],
)  # fmt: skip
def test_what_was_left_in_the_source_language_is_told_from_what_belongs_there(
    source: str, translation: str, language: Language, is_left: bool
) -> None:
    assert is_untranslated(source, translation, language) is is_left


@pytest.mark.parametrize(
    ("instruction", "given", "translated"),
    [
        ("Explain the command.", "docker run -p 8080:80 nginx", "docker run -p 8080:80 nginx"),
        ("Summarise the log.", "ERROR disk full at /var\nWARN retry", "ERROR disk full at /var\n"),
        ("명령어를 설명하세요.", "echo 안녕하세요 > 인사.txt", "echo 안녕하세요 > 인사.txt"),
    ],
)
def test_commands_and_logs_may_stay_as_they_are(
    instruction: str, given: str, translated: str
) -> None:
    assert drop_kept_lines(instruction, given, translated).strip() == ""
    assert drop_kept_lines("Say it. 말하세요.", given, translated) == translated


def test_prose_in_a_task_about_a_file_does_not_stay() -> None:
    prose = "The meeting was moved to Friday and the room is not known yet."

    assert drop_kept_lines("Summarise the file.", prose, prose) == prose
    assert drop_kept_lines("파일을 요약하세요.", "회의가 금요일로 밀렸다.", "회의") == "회의"


def test_task_about_a_command_is_no_broken_translation() -> None:
    seed = make_seed("en-1", "en", "Explain the command.").model_copy(
        update={"input": "docker run -p 8080:80 nginx"}
    )
    draw = make_sampler("ko", [seed]).draw(Random(0), Decoding())  # noqa: S311
    assert draw is not None
    text = write_tasks([("명령어를 설명해 주세요.", seed.input)])

    [translated] = read_translations(draw, answer(build(draw), text).completion)

    assert translated.defect is None


def test_strategy_asks_ten_tasks_in_two_requests() -> None:
    assert STRATEGY.records_asked == 10
