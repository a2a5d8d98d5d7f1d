import pytest
from rouge_score import rouge_scorer  # pyright: ignore[reportMissingTypeStubs]

from pipeline.curation.novelty.index import Task
from pipeline.curation.novelty.novelty import KnownTasks, LanguageTask, NoveltyConfig

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)


@pytest.mark.parametrize(
    ("first", "repeat"),
    [
        pytest.param("List three fruits.", "List three fruits!", id="punctuation"),
        pytest.param(
            "Write a short poem about the sea.", "Write a short poem about the moon.", id="noun"
        ),
    ],
)
def test_english_repeat_names_its_survivor_and_the_f1(first: str, repeat: str) -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask("en", Task("survivor", first, b""))])

    (standing,) = known.sift([LanguageTask("en", Task("next", repeat, b""))])

    assert (standing.kind, standing.of) == ("repeat", "survivor")
    assert standing.score == SCORER.score(first, repeat)["rougeL"].fmeasure  # pyright: ignore


@pytest.mark.parametrize(
    ("first", "repeat"),
    [
        pytest.param("과일 세 가지를 말해 줘.", "과일을 세 가지 말해 줘", id="particle-moved"),
        pytest.param("과일 세 가지를 말해 줘.", "과일 세가지를 말해주세요", id="ending"),
        pytest.param("PYTHON의 장점을 설명해 줘", "Python의 장점을 설명해 줘", id="latin-case"),
    ],
)
def test_korean_repeat_names_its_survivor(first: str, repeat: str) -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask("ko", Task("survivor", first, b""))])

    (standing,) = known.sift([LanguageTask("ko", Task("next", repeat, b""))])

    assert (standing.kind, standing.of) == ("repeat", "survivor")


def test_another_english_task_is_new() -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask("en", Task("first", "List three fruits.", b""))])

    (standing,) = known.sift([LanguageTask("en", Task("next", "List three rivers in Asia.", b""))])

    assert standing.kind == "new"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("서울 날씨 알려 줘", "부산 날씨 알려 줘", id="another-city"),
        pytest.param("3을 설명해 줘", "3", id="shared-digit"),
    ],
)
def test_another_korean_task_is_new(first: str, second: str) -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask("ko", Task("first", first, b""))])

    (standing,) = known.sift([LanguageTask("ko", Task("next", second, b""))])

    assert standing.kind == "new"


def test_languages_never_match() -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask("en", Task("english", "Python 3 list", b""))])

    (standing,) = known.sift([LanguageTask("ko", Task("next", "Python 3 list", b""))])

    assert standing.kind == "new"
