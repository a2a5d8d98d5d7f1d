"""Korean instructions are compared by what they ask for, not by how they put it."""

import gzip
import json
import unicodedata
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.index_files import IndexFileError
from pipeline.curation.novelty.index import Standing, Task
from pipeline.curation.novelty.korean_index import KoreanIndex
from pipeline.curation.novelty.korean_reading import StemReader

CORPUS = Path(__file__).parents[2] / "../shared/data/corpora/ko_instructions.jsonl.gz"
THRESHOLD = 0.7

SUBJECTS = [
    "서울 날씨",
    "부산의 날씨",
    "이 문장",
    "과일 세 가지",
    "python 코드",
    "오래된 메일",
    "책 제목",
]
REQUESTS = [
    "알려줘",
    "를 알려 주세요",
    " 지우지 마",
    " 영어로 번역해줘",
    " 말고 3개만 써줘",
    "!",
    "",
]
LINES = st.builds(str.__add__, st.sampled_from(SUBJECTS), st.sampled_from(REQUESTS)) | st.text(
    "가나다는를해줘세한지마말고않안 12abＡ３漢。?", max_size=14
)


def tasks_of(texts: list[str]) -> list[Task]:
    return [Task(str(place), text, b"") for place, text in enumerate(texts)]


def standing_of(second: str, first: str) -> Standing:
    index = KoreanIndex(THRESHOLD)
    index.add([Task("first", first, b"")])
    return index.sift([Task("second", second, b"")])[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("서울 날씨 알려 줘", "부산 날씨 알려 줘", id="place"),
        pytest.param("서울 날씨 알려 줘", "서울 미세먼지 알려 줘", id="subject"),
        pytest.param("이 문장을 영어로 번역해줘", "이 문장을 일본어로 번역해줘", id="language"),
        pytest.param(
            "이 문장을 한국어로 번역해줘", "이 문장을 중국어로 번역해줘", id="language-half"
        ),
        pytest.param(
            "다음 신문 기사를 읽고 핵심 내용을 세 문장으로 정리해서 영어로 번역해 주세요.",
            "다음 신문 기사를 읽고 핵심 내용을 세 문장으로 정리해서 일본어로 번역해 주세요.",
            id="one-word-of-a-long-task",
        ),
        pytest.param("영어를 한국어로 번역해줘", "한국어를 영어로 번역해줘", id="direction"),
        pytest.param("서울에서 부산까지 가는 길", "부산에서 서울까지 가는 길", id="from-and-to"),
        pytest.param("광고 문구를 3개 써줘", "광고 문구를 5개 써줘", id="number"),
        pytest.param("과일을 세 가지 말해 줘", "과일을 네 가지 말해 줘", id="native-number"),
        pytest.param("민수에게 편지를 써줘", "지혜에게 편지를 써줘", id="name"),
        pytest.param("Java로 정렬 함수를 짜줘", "Rust로 정렬 함수를 짜줘", id="latin-name"),
        pytest.param(
            "재택근무의 좋은 점을 말해줘", "재택근무의 나쁜 점을 말해줘", id="good-and-bad"
        ),
        pytest.param("운동의 장점을 설명해줘", "운동의 단점을 설명해줘", id="merits"),
        pytest.param("밤에 문을 열어 줘", "밤에 문을 열지 마", id="prohibition"),
        pytest.param("안 읽은 메일을 보여 줘", "읽은 메일을 보여 줘", id="negation"),
        pytest.param(
            "홍차 말고 녹차를 추천해 줘", "녹차 말고 홍차를 추천해 줘", id="not-this-but-that"
        ),
        pytest.param("이 글을 요약해줘", "이 글을 번역해줘", id="deed"),
        pytest.param("거실 불을 켜 줘", "거실 불을 꺼 줘", id="opposite-deed"),
        pytest.param("내일 일정을 알려줘", "내일 일정을 추가해줘", id="question-and-order"),
        pytest.param("오늘 날씨 알려줘", "날씨 알려줘", id="when"),
    ],
)
def test_different_tasks_survive_in_either_order(first: str, second: str) -> None:
    assert standing_of(second, first).kind == "new"
    assert standing_of(first, second).kind == "new"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("서울 날씨 알려 줘", "서울날씨알려줘", id="no-spaces"),
        pytest.param("책 제목을 추천해 줘", "책제목을 추천해줘", id="one-space"),
        pytest.param("세탁 건조기 사용법을 알려줘", "세탁건조기 사용법을 알려 줘", id="compound"),
        pytest.param("서울 날씨를 알려줘", "서울의 날씨 알려줘", id="particle"),
        pytest.param(
            "고양이가 좋아하는 음식은", "고양이는 좋아하는 음식이", id="topic-and-subject"
        ),
        pytest.param("이 문장을 영어로 번역해줘", "이 문장을 영어로 번역해 주세요.", id="polite"),
        pytest.param("서울 날씨 알려줘", "서울 날씨 알려주실래요?", id="asked"),
        pytest.param("서울 날씨 알려줘", "서울 날씨 알려줘라", id="plain"),
        pytest.param("글을 요약하세요", "글을 요약해 주시겠습니까?", id="formal"),
        pytest.param("창문을 열어 주세요", "창문 여십시오", id="irregular-verb"),
        pytest.param("과일 세 가지를 말해 줘.", "과일을 세 가지 말해 줘!!", id="punctuation"),
        pytest.param("과일 3가지를 말해 줘", "과일 세 가지를 말해줘", id="numeral"),
        pytest.param("Python 코드 3개 써줘", "ｐｙｔｈｏｎ 코드 ３개 써줘", id="full-width"),
        pytest.param("서울 날씨를 알려줘", "날씨를 알려줘. 서울", id="order"),
        pytest.param("가습기는 어떻게 사용해?", "가습기 사용 방법을 알려줘", id="how-and-way"),
    ],
)
def test_the_same_task_in_other_words_is_a_repeat_in_either_order(first: str, second: str) -> None:
    forwards, backwards = standing_of(second, first), standing_of(first, second)

    assert forwards.kind == backwards.kind == "repeat"
    assert forwards.score == backwards.score
    assert THRESHOLD < forwards.score <= 1
    assert standing_of(unicodedata.normalize("NFD", second), first) == forwards


def test_a_text_with_the_same_letters_scores_one_and_the_earliest_is_named() -> None:
    index = KoreanIndex(THRESHOLD)
    index.add(tasks_of(["부산 날씨", "서울 날씨!", "서울 날씨"]))

    assert index.sift([Task("x", "서울날씨", b"")]) == [Standing("repeat", "1", 1.0)]


def test_the_score_is_the_covered_share_of_the_text_that_is_covered_less() -> None:
    # Each noun weighs 1: of 우산 all is covered, of 우산 수리 half.
    index = KoreanIndex(0.4)
    index.add([Task("a", "우산 수리", b"")])

    assert index.survey("우산").nearest[0].score == pytest.approx(0.5)


def test_twins_and_barred_tasks_are_told_apart() -> None:
    index = KoreanIndex(THRESHOLD)
    first = Task("a", "서울 날씨 알려줘", b"key")

    standings = index.sift(
        [
            first,
            Task("b", "서울 날씨 알려줘", b"key", barred=True),
            Task("c", "서울 날씨 알려 주세요", b"other", barred=True),
            Task("d", "서울 날씨 알려 주세요", b"third"),
            Task("e", "서울 날씨 알려 주세요", b"other"),
        ]
    )

    assert [(standing.kind, standing.of) for standing in standings] == [
        ("new", ""),
        ("twin", "a"),
        ("barred", ""),
        ("repeat", "a"),
        ("repeat", "a"),
    ]


@pytest.mark.parametrize("text", ["", "!?", "😀😀", "\u200b\u0000", "\ud800"])
def test_a_text_without_letters_repeats_nothing(text: str) -> None:
    index = KoreanIndex(THRESHOLD)

    assert [s.kind for s in index.sift(tasks_of([text, text, "서울 날씨"]))] == ["new"] * 3


def test_a_text_of_a_megabyte_is_judged() -> None:
    text = " ".join(f"단어{place}번" for place in range(100_000))

    assert [s.kind for s in KoreanIndex(THRESHOLD).sift(tasks_of([text, text]))] == [
        "new",
        "repeat",
    ]


@given(st.lists(LINES, max_size=12), st.floats(0.2, 1))
@settings(max_examples=80, deadline=None)
def test_the_index_decides_as_a_comparison_with_each_known_task(
    texts: list[str], threshold: float
) -> None:
    index, oracle = KoreanIndex(threshold), KoreanIndex(threshold)
    for task in tasks_of(texts):
        nearest = oracle.survey(task.text, 1).nearest
        expected = Standing("new")
        if nearest and nearest[0].score > threshold:
            expected = Standing("repeat", nearest[0].id, nearest[0].score)
        assert index.sift([task]) == [expected]
        if expected.kind == "new":
            oracle.add([task])


@given(st.lists(LINES, max_size=16), st.lists(st.integers(0, 16), max_size=4))
@settings(max_examples=60, deadline=None)
def test_decisions_do_not_depend_on_how_tasks_are_cut_into_calls(
    texts: list[str], cuts: list[int]
) -> None:
    tasks = tasks_of(texts)
    index = KoreanIndex(THRESHOLD)
    ends = sorted({0, *cuts, len(tasks)})

    pieces = [index.sift(tasks[start:end]) for start, end in pairwise(ends)]

    assert [standing for piece in pieces for standing in piece] == KoreanIndex(THRESHOLD).sift(
        tasks
    )


@given(st.lists(LINES, min_size=2, max_size=3, unique=True))
@settings(max_examples=80, deadline=None)
def test_similarity_is_symmetric_and_a_fraction(texts: list[str]) -> None:
    for first, second in permutations(texts, 2):
        one, two = KoreanIndex(THRESHOLD), KoreanIndex(THRESHOLD)
        one.add([Task("a", first, b"")])
        two.add([Task("a", second, b"")])
        score = one.survey(second).nearest[0].score
        assert score == two.survey(first).nearest[0].score
        assert 0 <= score <= 1


def test_a_saved_index_judges_as_the_one_that_was_saved(tmp_path: Path) -> None:
    known = ["서울 날씨 알려줘", "이 문장을 영어로 번역해줘", "", "책 제목 3개"]
    later = ["서울의 날씨를 알려 주세요", "부산 날씨 알려줘", "책제목 세 개", "이 글을 요약해줘"]
    index = KoreanIndex(THRESHOLD)
    index.add([Task(f"k{place}", text, text.encode()) for place, text in enumerate(known)])
    index.save(tmp_path / "korean.index")

    loaded = KoreanIndex.load(tmp_path / "korean.index", THRESHOLD)

    tasks = [Task(f"l{place}", text, text.encode()) for place, text in enumerate(later + known)]
    assert loaded.sift(tasks) == index.sift(tasks)
    assert loaded.survey("서울 날씨") == index.survey("서울 날씨")


def test_a_file_that_is_no_korean_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"something")

    with pytest.raises(IndexFileError):
        KoreanIndex.load(tmp_path / "other", THRESHOLD)


@pytest.mark.parametrize(
    "forms",
    [
        "지워 지우지 지운 지울 지웁니다 지우면 지웠니 지우세요 지워줘 지워주실래요",
        "검색해 검색을 검색하는 검색한 검색합니다 검색해주세요 검색할까요 검색했니",
        "보내 보낸 보낼 보내지 보냈던 보냅니다 보내주세요 보내려면",
        "날씨 날씨는 날씨가 날씨를 날씨의 날씨입니까 날씨에는",
        "추운 추워 추우면 춥지 춥습니다 추울까",
        "써 쓰는 쓴 쓸 썼니 써줘 쓰면 씁니다",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    reader = StemReader()

    assert len({reader.read(form).words[0].stem for form in forms.split()}) == 1


def test_on_real_instructions_the_index_decides_as_a_comparison_with_each() -> None:
    if not CORPUS.is_file():
        pytest.skip(f"needs Korean instructions, none at {CORPUS}")
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        texts = [
            json.loads(line)["instruction"] for line, _ in zip(lines, range(2000), strict=False)
        ]
    index, oracle = KoreanIndex(THRESHOLD), KoreanIndex(THRESHOLD)
    for task, standing in zip(tasks_of(texts), index.sift(tasks_of(texts)), strict=True):
        nearest = oracle.survey(task.text, 1).nearest
        is_repeat = bool(nearest) and nearest[0].score > THRESHOLD
        assert standing == (
            Standing("repeat", nearest[0].id, nearest[0].score) if is_repeat else Standing("new")
        )
        if not is_repeat:
            oracle.add([task])
