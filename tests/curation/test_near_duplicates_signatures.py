import gzip
import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.near_duplicates.bands import choose_bands, find_contested, hash_bands
from pipeline.curation.near_duplicates.signatures import PERMUTATIONS, cut_into_blocks, sign
from schemas.records import Language
from tests.curation.minhash_oracle import jaccard, murmur3, shingle, sign_with_datasketch

CORPORA = Path(__file__).parents[2] / "../shared/data/corpora"
ODD_TEXTS = [
    "",
    "a",
    "abcd",
    "Straße  STRASSE",
    " \t\r\n\u3000 x \u2003",
    "\x00\x1c\x85",
    "가",
    "가나다라 마바사",
    "각각",  # decomposed jamo
    "\ud800 lone \udfff",
    "👩‍👩‍👧 🇰🇷",
    "İıſ",
    "ab " * 5000,
]


def test_hash_of_the_oracle_is_murmur3() -> None:
    # Published test vectors of MurmurHash3_x86_32 with seed 0.
    assert murmur3(b"") == 0
    assert murmur3(b"\xff\xff\xff\xff") == 0x76293B50
    assert murmur3(b"\x21\x43\x65\x87") == 0xF55B516B
    assert murmur3(b"\x00\x00\x00\x00") == 0x2362F9DE


def test_shingles_and_jaccard_of_the_oracle_equal_the_values_worked_out_by_hand() -> None:
    # "abcd\n\na b" with white space folded is "abcd a b".
    assert shingle("abcd\n\na b", "ko") == {"abc", "bcd", "cd ", "d a", " a ", "a b"}
    assert jaccard("abcd", "bcde", "ko") == pytest.approx(1 / 3)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_signatures_of_odd_texts_are_those_of_datasketch(language: Language) -> None:
    signatures = sign(ODD_TEXTS, language)

    for text, signature in zip(ODD_TEXTS, signatures, strict=True):
        assert signature.tolist() == sign_with_datasketch(text, language).hashvalues.tolist()


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(), max_size=60), language=st.sampled_from(["en", "ko"]))
def test_signature_of_any_text_is_that_of_datasketch(text: str, language: Language) -> None:
    expected = sign_with_datasketch(text, language).hashvalues

    assert sign(["x", text], language)[1].tolist() == expected.tolist()


@pytest.mark.parametrize("language", ["en", "ko"])
def test_signatures_of_real_texts_are_those_of_datasketch(language: Language) -> None:
    path = CORPORA / f"{language}_instructions.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no real instructions at {path}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["instruction"] for line in islice(lines, 300)]

    for text, signature in zip(texts, sign(texts, language), strict=True):
        assert signature.tolist() == sign_with_datasketch(text, language).hashvalues.tolist()


@pytest.mark.parametrize(("threshold", "bands"), [(0.5, (46, 3)), (0.7, (23, 6)), (0.9, (9, 14))])
def test_bands_find_nine_in_ten_pairs_at_the_threshold_and_longer_ones_would_not(
    threshold: float, bands: tuple[int, int]
) -> None:
    count, rows = choose_bands(threshold)

    assert (count, rows) == bands
    assert 1 - (1 - threshold**rows) ** count >= 0.9
    assert 1 - (1 - threshold ** (rows + 1)) ** (PERMUTATIONS // (rows + 1)) < 0.9


def test_texts_that_share_a_band_share_a_number_and_known_ones_alone_are_not_listed() -> None:
    # Texts 0 and 1 are known and share band 0; text 3 shares band 1 with text 1.
    keys = np.array([[7, 7, 8, 9], [1, 2, 3, 2]], np.uint32)

    contested = find_contested(keys, known=2)

    assert contested.places.tolist() == [1, 3]
    assert contested.buckets.tolist() == [[-1, 0], [-1, 0]]


def test_bands_of_a_corpus_do_not_depend_on_its_blocks() -> None:
    texts = [f"text number {number}" for number in range(3_000)]
    bands = choose_bands(0.7)

    together = hash_bands(texts, "en", bands)

    assert [block.stop for block in cut_into_blocks(texts)] == [2_000, 3_000]
    assert np.array_equal(together[:, 2_990:], hash_bands(texts[2_990:], "en", bands))
