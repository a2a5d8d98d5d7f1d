from typing import Any

import pytest

from tests.finetuning.contract_makers import make_tokenizer, run_check
from training.finetuning.contract.encoding import IGNORED
from training.finetuning.contract.faults import ContractError
from training.finetuning.data import Row

CASES = [
    pytest.param("Name a fruit.", "", "A pear.", "en", "\nA pear.", id="en"),
    pytest.param("Name its colour.", "sky", "Blue.", "en", "\nBlue.", id="en-with-input"),
    pytest.param("과일 하나를 말해 줘.", "", "배입니다.", "ko", " 배입니다.", id="ko"),
    pytest.param(
        "무슨 색인지 말해 줘.", "하늘", "파란색이에요.", "ko", " 파란색이에요.", id="ko-with-input"
    ),
]

UNKNOWN = "?"
COLON_NEWLINE = [(":", "Ċ")]
"""Qwen's tokenizer merges these."""


@pytest.mark.parametrize("adds_bos", [False, True], ids=["no-bos", "bos"])
@pytest.mark.parametrize("merges", [False, True], ids=["plain", "merging"])
@pytest.mark.parametrize(("instruction", "context", "output", "language", "trained"), CASES)
def test_labels_cover_exactly_the_answer_and_one_stop_token(
    instruction: str,
    context: str,
    output: str,
    language: Any,
    trained: str,
    merges: bool,
    adds_bos: bool,
) -> None:
    tokenizer = make_tokenizer(merges=COLON_NEWLINE if merges else (), adds_bos=adds_bos)
    row = Row("1", instruction, context, output, language)

    (example,) = run_check([row], tokenizer=tokenizer).train

    answer = [label for label in example.labels if label != IGNORED]
    assert tokenizer.decode(answer) == trained + "</s>"
    assert answer == example.input_ids[-len(answer) :]
    assert example.labels[: -len(answer)] == [IGNORED] * (len(example.input_ids) - len(answer))
    assert example.input_ids.count(tokenizer.eos_token_id) == 1
    assert example.input_ids.count(tokenizer.bos_token_id) == int(adds_bos)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_prompt_is_tokenized_as_it_is_when_it_stands_alone(language: Any) -> None:
    tokenizer = make_tokenizer(merges=COLON_NEWLINE)
    row = Row("1", "Say hello. 인사해 줘.", "", "안녕! Hello!", language)

    (example,) = run_check([row], tokenizer=tokenizer).train

    prompt = example.input_ids[: example.labels.count(IGNORED)]
    assert prompt == tokenizer(tokenizer.decode(prompt))["input_ids"]


@pytest.mark.parametrize(
    ("output", "language"),
    [("Strike out with <s>text</s>.", "en"), ("<s>취소선</s>을 그으세요.", "ko")],
)
def test_text_that_spells_a_control_token_stays_text(output: str, language: Any) -> None:
    tokenizer = make_tokenizer()

    (example,) = run_check([Row("1", "HTML", "", output, language)], tokenizer=tokenizer).train

    assert example.input_ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.bos_token_id not in example.input_ids
    assert tokenizer.decode(example.input_ids).endswith(output + "</s>")


@pytest.mark.parametrize(
    ("output", "language", "place"), [("pear 배", "en", "'배'"), ("배", "ko", "'배'")]
)
def test_a_tokenizer_that_cannot_write_a_row_is_refused_with_the_row_and_the_place(
    output: str, language: Any, place: str
) -> None:
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    # Knows every character of the templates but not this syllable.
    known = "Say it. 말해 줘.\n#:BelowisantructhdkbWpmyqq.RIevfgl,jx질문답변 pear"
    vocabulary = {character: index for index, character in enumerate(sorted(set(known)))}
    vocabulary[UNKNOWN] = len(vocabulary)
    plain = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN))
    plain.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain)
    tokenizer.add_special_tokens({"eos_token": "</s>"})

    with pytest.raises(ContractError, match=r"Text changed .* the first is 7 ") as info:
        run_check([Row("7", "말해 줘.", "", output, language)], tokenizer=tokenizer)
    assert place in str(info.value)


def test_the_id_of_every_row_is_kept_in_order(make_rows: Any) -> None:
    rows = [Row(str(index), *row) for index, row in enumerate(make_rows(20))]

    examples = run_check(rows).train

    assert [example.id for example in examples] == [str(index) for index in range(20)]
