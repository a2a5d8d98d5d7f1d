"""KoAlpaca's way from documents: prompts, provenance, and answers that copy their source."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.documents import Document
from pipeline.generation.sampling import Draw, ExamplePool
from pipeline.generation.strategies.koalpaca.documents import (
    STRATEGY,
    DocumentSampler,
    build,
    parse,
)
from pipeline.generation.strategies.reading.near_copy import copied_share, is_near_copy
from pipeline.generation.strategies.strategy import Materials
from schemas.exchange import Completion, Decoding, Exchange
from schemas.records import Draft, Language, SeedTask
from tests.generation.golden import assert_golden, show

SEEDS: list[SeedTask] = [
    SeedTask(id="e", language="en", instruction="Name a bird.", output="Wren"),
    SeedTask(id="k", language="ko", instruction="새를 하나 말해 줘.", output="참새"),
]
EN = (
    "Bread goes stale mainly because the starch that was softened during baking slowly forms "
    "crystals again as the loaf cools, and this pushes out the water that it had bound. The "
    "process is fastest just above freezing, at about 2 to 4 degrees, so a refrigerator makes "
    "bread stale sooner. Freeze it instead and toast the slices straight from the freezer."
)
EN_REPLACED = (
    "Bread becomes stale mostly because the starch that was softened during baking gradually "
    "forms crystals again as the loaf cools, and this forces out the water it had bound. The "
    "process is quickest just above freezing, at around 2 to 4 degrees, so a fridge makes bread "
    "stale sooner. Freeze it instead and toast slices straight from the freezer."
)
EN_MOVED = (
    "Freeze bread and toast the slices straight from the freezer. A refrigerator makes bread "
    "stale sooner, because the process is fastest just above freezing, at about 2 to 4 degrees. "
    "The starch that was softened during baking slowly forms crystals again and pushes out water."
)
EN_OWN = (
    "Staling is mostly a matter of starch, not of drying. Baking lets starch take up water and "
    "soften; once the bread is cold, its molecules line up into crystals and release that water. "
    "Since this happens quickest at 2 to 4 degrees, keep bread out of the fridge: slice it, "
    "freeze it, and toast what you need."
)
EN_OWN_SHORTER = (
    "Store bread in the freezer rather than in the refrigerator. At about 2 to 4 degrees the "
    "starch crystallises fastest, which makes the crumb hard even though the loaf has lost little "
    "water."
)
KO = (
    "전분이 물을 머금고 익으면 부드러워지는데, 식으면서 전분 분자가 다시 규칙적으로 늘어서며 "
    "결정이 됩니다. 이 과정에서 머금고 있던 물이 빠져나와 빵이 단단해집니다. 냉장고 온도인 "
    "2~4도에서 가장 빠르게 진행되므로, 오래 두려면 냉동하고 먹기 전에 데우는 것이 좋습니다."
)
KO_ENDINGS = (
    KO.replace("됩니다", "돼요").replace("단단해집니다", "단단해져요").replace("좋습니다", "좋아요")
)
KO_REPLACED = (
    "전분이 물을 흡수하고 익으면 말랑해지는데, 식으면서 전분 분자가 다시 규칙적으로 배열되며 "
    "결정이 돼요. 이 과정에서 머금고 있던 수분이 빠져나와 빵이 딱딱해져요. 냉장고 온도인 2~4도에서 "
    "가장 빨리 진행되므로, 오래 보관하려면 냉동하고 먹기 전에 데우는 게 좋아요."
)
KO_MOVED = (
    "오래 두려면 빵을 냉동하고 먹기 전에 데우는 것이 좋습니다. 냉장고 온도인 2~4도에서는 노화가 "
    "가장 빠르게 진행되기 때문입니다. 식으면서 전분 분자가 다시 규칙적으로 늘어서고, 머금고 있던 "
    "물이 빠져나와 단단해집니다."
)
KO_OWN = (
    "빵이 굳는 것은 전분의 노화 때문이에요. 갓 구운 빵의 전분은 수분을 품어 말랑하지만, 시간이 "
    "지나면 분자들이 다시 가지런히 결정을 이루면서 수분을 밀어내요. 2~4도의 냉장 보관은 이 변화를 "
    "앞당기니, 며칠 뒤에 먹을 빵은 얼려 두었다가 데워 드세요."
)
KO_OWN_SHORTER = (
    "식빵은 냉장하지 말고 냉동하세요. 냉장고 온도인 2~4도에서 전분이 다시 결정이 되는 속도가 가장 "
    "빠르기 때문이에요. 먹을 만큼 꺼내 살짝 데우면 결정이 풀려 다시 부드러워집니다."
)

DOCUMENTS: dict[Language, Document] = {
    "en": Document(
        id="q1",
        title="Why does bread get hard in the fridge?",
        body="I keep my sliced loaf there, and after two days it is dry.",
        answer=EN,
        language="en",
        licence="CC-BY-SA-4.0",
    ),
    "ko": Document(
        id="q2",
        title="빵을 냉장고에 넣으면 왜 딱딱해지나요?",
        body="식빵을 넣어 뒀는데 이틀 만에 퍽퍽해졌어요.",
        answer=KO,
        language="ko",
        licence="CC-BY-4.0",
    ),
}


def make_draw(language: Language = "en", document: Document | None = None) -> Draw:
    return Draw(
        language, "unspecified", (), Decoding(), 5, document=document or DOCUMENTS[language]
    )


def parse_text(text: str, language: Language = "en", finish_reason: str = "stop") -> list[Draft]:
    draw = make_draw(language)
    completion = Completion(id="c1", model="m", text=text, finish_reason=finish_reason)
    return parse(draw, [[Exchange(build(draw), completion)]])


def write_record(output: str) -> str:
    return json.dumps({"instruction": "Why?", "input": "", "output": output}, ensure_ascii=False)


def make_materials(language: Language, documents: list[Document]) -> Materials:
    return Materials(language, "m", ExamplePool(SEEDS, language), SEEDS, documents, 3)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_prompt_is_the_golden_one(language: Language) -> None:
    assert_golden(f"koalpaca_documents_{language}.txt", show(build(make_draw(language))))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_never_changes_stands_first_so_that_a_prefix_cache_helps(language: Language) -> None:
    other = Document(id="z", title="A", answer="B", language=language, licence="MIT")

    first, second = build(make_draw(language)), build(make_draw(language, other))

    assert first.messages[:-1] == second.messages[:-1]


def test_tag_of_an_empty_body_is_left_out() -> None:
    document = Document(id="z", title="A", answer="B", language="en", licence="MIT")

    asked = build(make_draw("en", document)).messages[-1].content

    assert asked.startswith("<title>\nA\n</title>\n<accepted answer>\nB\n</accepted answer>\n")


@pytest.mark.parametrize(
    ("language", "word"), [pytest.param("en", "bread"), pytest.param("ko", "식빵을")]
)
def test_long_answer_is_cut_between_words_and_shows_it(language: Language, word: str) -> None:
    document = Document(
        id="z", title="A", answer=f"{word} " * 5000, language=language, licence="MIT"
    )

    asked = build(make_draw(language, document)).messages[-1].content

    assert f"{word} […]\n" in asked
    assert 5800 < len(asked.encode()) < 6200


def test_text_without_spaces_is_cut_too() -> None:
    document = Document(id="z", title="A", answer="가" * 5000, language="ko", licence="MIT")

    asked = build(make_draw("ko", document)).messages[-1].content

    assert asked.count("가") == 2000


@pytest.mark.parametrize(("language", "output"), [("en", EN_OWN), ("ko", KO_OWN)])
def test_record_in_own_words_names_its_document_and_licence(
    language: Language, output: str
) -> None:
    [draft] = parse_text(write_record(output), language)

    assert (draft.defect, draft.output, draft.language) == (None, output, language)
    origin = draft.provenance
    document = DOCUMENTS[language]
    assert (origin.derived_from, origin.source_licence) == (document.id, document.licence)
    assert (origin.strategy, origin.completion_id) == ("koalpaca_documents", "c1")
    assert origin.seed_ids == ()


@pytest.mark.parametrize(
    ("language", "output"),
    [
        pytest.param("en", EN, id="verbatim"),
        pytest.param("ko", KO, id="verbatim, Korean"),
        pytest.param("ko", KO_ENDINGS, id="other endings, Korean"),
        pytest.param("en", EN_REPLACED, id="words replaced"),
        pytest.param("ko", KO_REPLACED, id="words replaced, Korean"),
        pytest.param("en", EN_MOVED, id="sentences moved"),
        pytest.param("ko", KO_MOVED, id="sentences moved, Korean"),
        pytest.param("en", EN.upper().replace(", ", " – "), id="other case and punctuation"),
        pytest.param("ko", KO.replace(" ", ""), id="other spacing, Korean"),
    ],
)
def test_near_copy_of_the_accepted_answer_is_marked(language: Language, output: str) -> None:
    [draft] = parse_text(write_record(output), language)

    assert draft.defect == "copies-source"
    assert draft.output == output


def test_near_copy_of_the_body_is_marked_too() -> None:
    body = "I keep my sliced loaf there, wrapped in paper and in a plastic bag, for at most a week."
    document = DOCUMENTS["en"].model_copy(update={"body": body})
    draw = make_draw("en", document)
    completion = Completion(id="c", model="m", text=write_record(body), finish_reason="stop")

    [draft] = parse(draw, [[Exchange(build(draw), completion)]])

    assert draft.defect == "copies-source"


@pytest.mark.parametrize(
    ("language", "output"),
    [
        pytest.param("en", EN_OWN_SHORTER, id="own words"),
        pytest.param("ko", KO_OWN_SHORTER, id="own words, Korean"),
        pytest.param("en", "2 to 4 degrees", id="a number"),
        pytest.param("ko", "2~4도", id="a number, Korean"),
        pytest.param("en", "The starch that was softened during baking", id="a name"),
        pytest.param("ko", "전분 분자가 다시 규칙적으로 늘어서기 때문", id="a name, Korean"),
        pytest.param("en", "", id="empty"),
        pytest.param("ko", "…", id="no words"),
    ],
)
def test_own_wording_and_short_facts_are_no_copies(language: Language, output: str) -> None:
    assert not is_near_copy(output, {"en": EN, "ko": KO}[language], language)


QUERY = (
    "SELECT name, COUNT(*) FROM orders WHERE paid GROUP BY name HAVING COUNT(*) > 1 ORDER BY name;"
)
FRAME = "df = df.groupby('city', as_index=False)['price'].mean()"
RECIPE = ("200 g flour", "100 g butter", "50 g sugar", "1 egg", "a pinch of salt")
KO_RECIPE = ("밀가루 이백 그램", "버터 백 그램", "설탕 오십 그램", "달걀 하나", "소금 한 자밤")
PLANETS = (
    "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune, Pluto, Ceres, Eris, Makemake"
)
KINGS = (
    "태조, 정종, 태종, 세종, 문종, 단종, 세조, 예종, 성종, 연산군, 중종, 인종, 명종, 선조, 광해군"
)


@pytest.mark.parametrize(
    ("language", "output", "source"),
    [
        pytest.param("en", f"```python\n{FRAME}\n```\nThe city stays a column.", FRAME, id="code"),
        pytest.param(
            "en", f"Use this query, as WHERE acts too early for groups:\n\n{QUERY}",
            f"{QUERY} HAVING filters groups.", id="query without a fence",
        ),
        pytest.param(
            "ko", f"다음 질의를 쓰세요. WHERE는 너무 이르게 걸러 냅니다.\n\n{QUERY}",
            f"{QUERY} 이렇게 하세요.", id="query, Korean",
        ),
        pytest.param(
            "en", "\n- ".join(["You need:", *RECIPE]) + "\n\nLet the dough rest in the cold.",
            "The ingredients are " + ", ".join(RECIPE), id="items",
        ),
        pytest.param(
            "ko", "\n- ".join(["준비물입니다.", *KO_RECIPE]) + "\n\n반죽은 차게 둡니다.",
            "재료는 " + ", ".join(KO_RECIPE), id="items, Korean",
        ),
        pytest.param("en", f"From the Sun on they are {PLANETS}.", PLANETS, id="names"),
        pytest.param("ko", f"차례대로 말하면 {KINGS}입니다.", KINGS, id="names, Korean"),
    ],
)  # fmt: skip
def test_what_has_one_wording_is_no_copy(language: Language, output: str, source: str) -> None:
    assert copied_share(output, source, language) > 0.25
    assert not is_near_copy(output, source, language)


@pytest.mark.parametrize(("language", "text"), [("en", EN), ("ko", KO)])
def test_sentences_made_items_of_a_list_are_copies_still(language: Language, text: str) -> None:
    assert is_near_copy("- " + text.replace(". ", ".\n- "), text, language)


@pytest.mark.parametrize(
    ("output", "source", "language", "share"),
    [
        # Runs of four words: "a b c d", "b c d e", "c d e f"; the first two stand in the source.
        pytest.param("a b c d e f", "x a b c d e", "en", 2 / 3, id="words"),
        # Runs of six syllables: 가나다라마바 and 나다라마바사; the first stands in the source.
        pytest.param("가나 다라 마바 사", "하가나다라마바 하", "ko", 1 / 2, id="syllables"),
        pytest.param("a b", "a b", "en", 0.0, id="shorter than a run"),
    ],
)
def test_copied_share_is_the_one_worked_out_by_hand(
    output: str, source: str, language: Language, share: float
) -> None:
    assert copied_share(output, source, language) == pytest.approx(share)


def test_threshold_lies_between_reworded_copies_and_texts_of_their_own() -> None:
    copies = [copied_share(text, EN, "en") for text in (EN_REPLACED, EN_MOVED)]
    copies += [copied_share(text, KO, "ko") for text in (KO_ENDINGS, KO_REPLACED, KO_MOVED)]
    own = [copied_share(text, EN, "en") for text in (EN_OWN, EN_OWN_SHORTER)]
    own += [copied_share(text, KO, "ko") for text in (KO_OWN, KO_OWN_SHORTER)]

    assert min(copies) > 0.35
    assert max(own) < 0.15


def test_cut_record_stays_truncated_and_an_unreadable_answer_unparseable() -> None:
    [cut] = parse_text(write_record(EN)[:-40], finish_reason="length")
    [unreadable] = parse_text("I'd rather not.")

    assert (cut.defect, unreadable.defect) == ("truncated", "unparseable")
    assert unreadable.provenance.derived_from == "q1"


def test_each_document_of_the_language_comes_once_and_then_none() -> None:
    documents = [DOCUMENTS["ko"].model_copy(update={"id": str(number)}) for number in range(20)]
    sampler = DocumentSampler(make_materials("ko", [*documents, DOCUMENTS["en"]]))
    rng = Random(3)  # noqa: S311

    draws = [sampler.draw(rng, Decoding()) for _ in range(21)]

    drawn = [draw.document.id for draw in draws if draw and draw.document]
    assert draws[-1] is None
    assert sorted(drawn) == sorted(document.id for document in documents)
    assert drawn != [document.id for document in documents]


def test_same_seed_draws_the_same_order() -> None:
    documents = [DOCUMENTS["en"].model_copy(update={"id": str(number)}) for number in range(9)]

    first, second = (
        [sampler.draw(rng, Decoding()) for _ in documents]
        for sampler, rng in (
            (DocumentSampler(make_materials("en", documents)), Random(1)),  # noqa: S311
            (DocumentSampler(make_materials("en", documents)), Random(1)),  # noqa: S311
        )
    )

    assert first == second


@given(st.text(), st.sampled_from(["en", "ko"]))
def test_no_answer_defeats_the_parser(text: str, language: Language) -> None:
    assert parse_text(text, language)


def test_strategy_asks_once() -> None:
    assert STRATEGY.follow(make_draw(), [[]]) == []
    assert STRATEGY.records_asked == 1
