"""Files of well-known shapes become tasks by their columns alone."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from schemas.errors import UserError
from schemas.storage import RecordFileError
from training.evaluation.tasks.formats import read_task_file
from training.evaluation.tasks.items import EvaluationTask
from training.evaluation.tasks.loading import load_task

NSMC = (
    "id\tdocument\tlabel\n"
    '1\t"정말" 재미있게 봤어요\t1\n'
    "2\t지루하고, 너무 길다\t0\n"
    "3\t\t1\n"
    "4\t다시 보고 싶은 영화\t1\n"
)


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def test_nsmc_as_published_is_korean_sentiment_in_words(tmp_path: Path) -> None:
    path = tmp_path / "ratings_test.txt"
    path.write_text(NSMC)

    card, items = read_task_file(path)

    assert card is not None
    assert (card.language, card.family, card.labels) == ("ko", "sentiment", ("부정", "긍정"))
    assert [wording.form for wording in card.wordings] == ["record", "record", "arrow"]
    assert [(item.id, item.text, item.label) for item in items] == [
        ("1", '"정말" 재미있게 봤어요', "긍정"),
        ("2", "지루하고, 너무 길다", "부정"),
        ("4", "다시 보고 싶은 영화", "긍정"),
    ]
    assert card.origin == "ratings_test.txt; rows without a text, left out: 1"


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        pytest.param("정말 좋았다", ("긍정", "부정"), ("부정", "긍정"), id="ko"),
        pytest.param("I loved it", ("pos", "neg"), ("negative", "positive"), id="en"),
    ],
)
def test_text_with_sentiment_in_words_is_sentiment(
    tmp_path: Path, text: str, labels: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    rows = [{"text": f"{text} {n}", "label": labels[n % 2]} for n in range(6)]

    card, items = read_task_file(write(tmp_path / "reviews.jsonl", rows))

    assert card is not None
    assert card.family == "sentiment"
    assert card.labels == expected
    assert items[0].label == expected[1]


@pytest.mark.parametrize(
    ("row", "text", "label", "answers"),
    [
        pytest.param(
            {"paragraph": "고래는 포유류이다.", "question": "고래는 물고기인가?", "label": 0},
            "고래는 포유류이다.\n\n질문: 고래는 물고기인가?",
            "아니요",
            ("아니요", "예"),
            id="boolq-ko",
        ),
        pytest.param(
            {"passage": "Whales are mammals.", "question": "is a whale a mammal", "answer": True},
            "Whales are mammals.\n\nQuestion: is a whale a mammal",
            "yes",
            ("no", "yes"),
            id="boolq-en",
        ),
        pytest.param(
            {
                "premise": "비가 많이 왔다.",
                "question": "결과",
                "alternative_1": "강물이 불었다.",
                "alternative_2": "눈이 녹았다.",
                "label": 0,
            },
            "비가 많이 왔다.\n\n이 일의 결과로 무슨 일이 있었나요?",
            "강물이 불었다.",
            ("강물이 불었다.", "눈이 녹았다."),
            id="copa-ko",
        ),
        pytest.param(
            {
                "premise": "The river rose.",
                "question": "cause",
                "choice1": "It rained.",
                "choice2": "It was dry.",
                "label": "1",
            },
            "The river rose.\n\nWhat was the cause of this?",
            "It was dry.",
            ("It rained.", "It was dry."),
            id="copa-en",
        ),
        pytest.param(
            {"sentence": "배송이 빠르고 좋네요", "label": 1},
            "배송이 빠르고 좋네요",
            "긍정",
            ("부정", "긍정"),
            id="sentineg",
        ),
        pytest.param(
            {"word": "배", "context_1": "배를 탔다.", "context_2": "배를 먹었다.", "label": 0},
            "단어: 배\n문장 1: 배를 탔다.\n문장 2: 배를 먹었다.",
            "아니요",
            ("아니요", "예"),
            id="wic",
        ),
        pytest.param(
            {
                "context": "냄비에 물을 붓는다.",
                **{f"ending_{n}": text for n, text in enumerate("가나다라", start=1)},
                "label": 3,
            },
            "냄비에 물을 붓는다.",
            "라",
            ("가", "나", "다", "라"),
            id="hellaswag-ko",
        ),
        pytest.param(
            {"ctx": "She opens the door", "endings": ["and leaves.", "sky."], "label": "0"},
            "She opens the door",
            "and leaves.",
            ("and leaves.", "sky."),
            id="hellaswag-en",
        ),
        pytest.param(
            {"premise": "개가 뛴다.", "hypothesis": "동물이 움직인다.", "label": "entailment"},
            "개가 뛴다.\n\n진술: 동물이 움직인다.",
            "참",
            ("참", "알 수 없음", "거짓"),
            id="klue-nli",
        ),
        pytest.param(
            {"question": "2+2?", "A": "3", "B": "5", "C": "7", "D": "4", "answer": 4},
            "2+2?",
            "4",
            ("3", "5", "7", "4"),
            id="letters-by-text",
        ),
        pytest.param(
            {
                "question": "수도는?",
                "A": "부산",
                "B": "대구",
                "C": "인천",
                "D": "서울",
                "answer": 4,
            },
            "수도는?",
            "서울",
            ("부산", "대구", "인천", "서울"),
            id="letters-from-1",
        ),
        pytest.param(
            {"question": "Which?", "choices": ["this", "that"], "answer": "B"},
            "Which?",
            "that",
            ("this", "that"),
            id="list-by-letter",
        ),
    ],
)
def test_a_row_of_a_known_set_reads_as_a_person_would_put_it(
    tmp_path: Path, row: dict[str, object], text: str, label: str, answers: tuple[str, ...]
) -> None:
    card, items = read_task_file(write(tmp_path / "set.jsonl", [row]))

    assert card is not None
    assert len(card.wordings) >= 2
    assert (items[0].text, items[0].label) == (text, label)
    assert (items[0].choices or card.labels) == answers


def test_the_same_rows_are_the_same_items_from_every_kind_of_file(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[dict[str, object]] = [
        {"text": '그는 "안녕, 친구" 했다', "label": "인사"},
        {"text": "see you, then", "label": "작별"},
    ]
    write(tmp_path / "a.jsonl", rows)
    (tmp_path / "b.json").write_text(json.dumps(rows))
    (tmp_path / "c.csv").write_text(
        '\ufefftext,label\n"그는 ""안녕, 친구"" 했다",인사\n"see you, then",작별\n'
    )
    (tmp_path / "d.tsv").write_text(
        'text\tlabel\n그는 "안녕, 친구" 했다\t인사\nsee you, then\t작별\n'
    )
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "e.parquet")

    read = [read_task_file(path) for path in sorted(tmp_path.iterdir())]

    assert len(read) == 5
    assert all(one == read[0] for one in read)
    assert [item.label for item in read[0][1]] == ["인사", "작별"]


def test_a_question_with_an_answer_is_answered_in_writing(tmp_path: Path) -> None:
    rows = [{"question": f"{n} 더하기 1은?", "answer": n + 1} for n in range(20)]

    task = load_task(str(write(tmp_path / "sums.jsonl", rows)))

    assert task.card.metric == "exact_match"
    assert task.card.language == "ko"
    assert {item.references for item in (*task.items, *task.shots)} == {
        (str(n + 1),) for n in range(20)
    }


def test_a_file_without_split_gives_a_fifth_as_examples_and_keeps_passages_together(
    tmp_path: Path,
) -> None:
    rows = [
        {"paragraph": f"문단 {n // 4}의 글이다.", "question": f"질문 {n}?", "label": n % 2}
        for n in range(800)
    ]

    _, items = read_task_file(write(tmp_path / "boolq.jsonl", rows))
    _, fewer = read_task_file(write(tmp_path / "boolq.jsonl", rows[:400]))

    shots = {item.group for item in items if item.split == "shots"}
    assert 100 < sum(item.split == "shots" for item in items) < 220
    assert shots.isdisjoint(item.group for item in items if item.split == "test")
    assert items[:400] == fewer
    assert len({item.id for item in items}) == 800


def test_a_split_of_the_file_s_own_is_kept(tmp_path: Path) -> None:
    rows = [
        {"sentence": f"문장 {n}", "label": n % 2, "split": split}
        for n, split in enumerate(["train", "dev", "test", "validation"])
    ]

    _, items = read_task_file(write(tmp_path / "s.jsonl", rows))

    assert [item.split for item in items] == ["shots", "test", "test", "test"]


def test_equal_rows_stay_two_items_on_one_side(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"sentence": "같은 글", "label": 1}] * 3

    _, items = read_task_file(write(tmp_path / "s.jsonl", rows))

    assert len({item.id for item in items}) == 3
    assert len({item.split for item in items}) == 1


def test_a_card_beside_the_file_gives_numbers_their_words(tmp_path: Path) -> None:
    rows = [{"text": f"news {n}", "label": n % 3} for n in range(40)]
    path = write(tmp_path / "news.jsonl", rows)
    card = {
        "language": "en",
        "family": "topic",
        "labels": ["sport", "politics", "weather"],
        "wordings": [{"name": "plain", "instruction": "Sport, politics or weather?"}],
        "licence": "CC0-1.0",
        "origin": "made for this test",
    }
    (tmp_path / "news.card.json").write_text(json.dumps(card))

    task = load_task(str(path))

    assert isinstance(task, EvaluationTask)
    assert task.card.family == "topic"
    assert {item.label for item in task.items} == {"sport", "politics", "weather"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.csv", "body,mood\nx,y\n", "found 'body', 'mood'", id="columns"),
        pytest.param("a.jsonl", '{"text": "a", "label": 1}\n', "are numbers", id="numbers"),
        pytest.param("a.jsonl", "", "found none", id="empty"),
        pytest.param("a.csv", "text,label\n a,x\n,y\n", "a.csv:3: wanted a text", id="no-text"),
        pytest.param("a.jsonl", "[1]\n", "a.jsonl:1: wanted a JSON object, found list", id="list"),
        pytest.param("a.jsonl", "{\n", "a.jsonl:1: wanted a JSON object", id="broken"),
        pytest.param("a.csv", "text,label\na,b,c\n", "wanted 2 columns", id="too-many"),
        pytest.param(
            "a.jsonl",
            '{"paragraph": "p", "question": "q", "label": null}\n',
            "a.jsonl:1: wanted label no, yes or a number below 2, found ''",
            id="no-label",
        ),
        pytest.param(
            "a.jsonl",
            '{"question": "q", "choices": ["x", "y", "z"], "answer": 1}\n',
            "neither a first nor a last",
            id="counted-from-anywhere",
        ),
        pytest.param(
            "a.jsonl",
            '{"question": "q", "choices": ["x", "y"], "answer": "Z"}\n',
            "number, letter or text of one of 2 choices, found 'Z'",
            id="no-such-choice",
        ),
        pytest.param(
            "a.tsv", "text\tlabel\tsplit\na\tb\tfuture\n", "a.tsv:2: split: wanted test", id="split"
        ),
    ],
)
def test_what_is_no_task_is_one_line_that_says_what_was_wanted(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(UserError) as caught:
        read_task_file(path)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordFileError, match=r"none\.csv: no such file"):
        read_task_file(tmp_path / "none.csv")
