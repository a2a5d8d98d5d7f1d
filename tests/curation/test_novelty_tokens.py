import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.novelty.tokens import key_numbering, token_numbering, tokenize
from schemas.records import LANGUAGES, Language
from tests.curation.novelty_oracle import oracle_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The K in 5 K’s café", ["the", "k", "in", "5", "k", "s", "caf"]),
        ("don't stop", ["don", "t", "stop"]),
        ("x_1 + y-2 = 3.5%", ["x", "1", "y", "2", "3", "5"]),
        ("İstanbul, 2K", ["i", "stanbul", "2k"]),
        ("한글 mixed 글자", ["mixed"]),
        ("🙂🙃 ... \ud800", []),
    ],
)
def test_english_tokens_are_runs_of_ascii_letters_and_digits(text: str, tokens: list[str]) -> None:
    assert tokenize(text, "en") == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("GPT-4와 漢字 3개!", ["gpt", "4", "와", "漢", "字", "3", "개"]),
        ("snake_case를 Straße로", ["snake", "case", "를", "strasse", "로"]),
        (unicodedata.normalize("NFD", "가나 café"), ["가", "나", "café"]),
        ("ㅋㅋㅋ 그래ㅠㅠ", ["ㅋㅋㅋ", "그", "래", "ㅠㅠ"]),
        ("🙂\u200b\udc00\x00", []),
    ],
)
def test_korean_tokens_are_syllables_and_runs(text: str, tokens: list[str]) -> None:
    assert tokenize(text, "ko") == tokens


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(st.characters(), max_size=30), max_size=8))
@pytest.mark.parametrize("language", LANGUAGES)
def test_any_text_is_cut_as_by_regular_expressions(language: Language, texts: list[str]) -> None:
    numbering = token_numbering(language)
    rows = numbering.number(texts)
    expected = [oracle_tokens(text, language) for text in texts]

    numbers: dict[str, int] = {}
    flat = [numbers.setdefault(token, len(numbers)) for tokens in expected for token in tokens]
    assert rows.tokens.tolist() == flat
    assert [stop - start for start, stop in zip(rows.starts, rows.starts[1:], strict=False)] == [
        len(tokens) for tokens in expected
    ]
    assert numbering.count == len(numbers)


def test_numbers_stay_as_more_and_longer_tokens_come() -> None:
    numbering = token_numbering("en")
    words = [f"{place}" + "z" * (place % 50) for place in range(3000)]
    first = [numbering.number([word]).tokens.tolist() for word in words]

    assert first == [[number] for number in range(3000)]
    assert numbering.number([" ".join(words)]).tokens.tolist() == list(range(3000))


@pytest.mark.parametrize("language", LANGUAGES)
def test_restored_numbering_continues_with_the_same_numbers(language: Language) -> None:
    numbering, restored = token_numbering(language), token_numbering(language)
    numbering.number(["a list, a 가나 漢 list"])
    restored.restore(*numbering.export())

    again = "new list 나 a"
    assert restored.number([again]).tokens.tolist() == numbering.number([again]).tokens.tolist()


def test_byte_strings_are_numbered_whole_and_the_empty_one_not_at_all() -> None:
    rows = key_numbering().number_encoded([b"a b", b"", b"\x00\xff", b"a b", b"\x00"])

    assert rows.tokens.tolist() == [0, 1, 0, 2]
    assert rows.starts.tolist() == [0, 1, 1, 2, 3, 4]
