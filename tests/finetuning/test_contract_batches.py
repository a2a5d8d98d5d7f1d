"""The trainer's batches against the checked rows, with collators of transformers and TRL."""

from collections.abc import Sequence
from typing import Any

import pytest

from schemas.templates import InstructionTemplate
from tests.finetuning.contract_makers import make_tokenizer
from training.finetuning.contract.batch_check import check_batches
from training.finetuning.contract.encoding import IGNORED, Example, tokenize_rows
from training.finetuning.contract.faults import ContractError
from training.finetuning.data import Row


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer()  # Its padding token is its stop token.


@pytest.fixture(scope="module")
def examples(tokenizer: Any) -> list[Example]:
    rows = [
        Row("en-1", "Name a fruit.", "", "A pear.", "en"),
        Row("ko-1", "과일 하나를 말해 줘.", "", "배입니다.", "ko"),
        Row("en-2", "Name its colour.", "sky", "Blue.", "en"),
        Row("ko-2", "무슨 색인지 말해 줘.", "하늘", "파란색이에요.", "ko"),
        Row("ko-3", "과일 하나를 말해 줘.", "", "배입니다.", "ko"),  # Twice the same.
    ]
    return tokenize_rows(rows, InstructionTemplate("</s>"), tokenizer)


def as_features(examples: Sequence[Example]) -> list[Any]:
    return [{"input_ids": one.input_ids, "labels": one.labels} for one in examples]


def pack(*groups: Sequence[Example]) -> list[Any]:
    return [
        {
            "input_ids": [token for one in group for token in one.input_ids],
            "labels": [label for one in group for label in one.labels],
            "seq_lengths": [len(one.input_ids) for one in group],
        }
        for group in groups
    ]


def trl_collator(tokenizer: Any, **options: Any) -> Any:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(pad_token_id=tokenizer.pad_token_id, **options)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padded_batches_of_transformers_pass(
    tokenizer: Any, examples: list[Example], side: str
) -> None:
    from transformers import DataCollatorForSeq2Seq

    tokenizer.padding_side = side
    features = [
        {**one, "attention_mask": [1] * len(one["input_ids"])} for one in as_features(examples)
    ]
    check_batches(DataCollatorForSeq2Seq(tokenizer), features, examples, batch_size=3)


def test_padded_batches_of_trl_pass_though_padding_and_stop_are_one_token(
    tokenizer: Any, examples: list[Example]
) -> None:
    check_batches(trl_collator(tokenizer), as_features(examples), examples, batch_size=2)


def test_packed_batches_of_trl_pass(tokenizer: Any, examples: list[Example]) -> None:
    features = pack(examples[3:], examples[:3])

    check_batches(trl_collator(tokenizer, padding_free=True), features, examples, batch_size=1)


def test_packed_rows_without_restarting_positions_are_refused(
    tokenizer: Any, examples: list[Example]
) -> None:
    features = pack(examples[:2])
    del features[0]["seq_lengths"]

    with pytest.raises(ContractError, match="do not restart at a packed row"):
        check_batches(trl_collator(tokenizer, padding_free=True), features, examples[:2])


def test_packed_rows_under_a_mask_of_ones_are_refused(
    tokenizer: Any, examples: list[Example]
) -> None:
    collate = trl_collator(tokenizer, return_position_ids=True)

    with pytest.raises(ContractError, match="sees its neighbour"):
        check_batches(collate, pack(examples[:2]), examples[:2])


def test_a_row_that_no_batch_holds_is_named(tokenizer: Any, examples: list[Example]) -> None:
    features = as_features([*examples[:2], *examples[3:]])

    with pytest.raises(ContractError, match=r"1 of 5 rows, the first is en-2 \(batch\)"):
        check_batches(trl_collator(tokenizer), features, examples)


def test_rows_that_are_the_same_have_to_come_as_often(
    tokenizer: Any, examples: list[Example]
) -> None:
    with pytest.raises(ContractError, match="it is in no batch"):
        check_batches(trl_collator(tokenizer), as_features(examples[:4]), examples)


def test_a_row_that_a_collator_cuts_is_named(tokenizer: Any, examples: list[Example]) -> None:
    collate = trl_collator(tokenizer)

    def cut(features: list[Any]) -> Any:
        return {name: lines[:, :50] for name, lines in collate(features).items()}

    with pytest.raises(ContractError, match="other tokens in its place") as caught:
        check_batches(cut, as_features(examples), examples)
    assert "the first is en-1 (batch)" in str(caught.value)


def test_padding_that_is_not_masked_is_refused(tokenizer: Any, examples: list[Example]) -> None:
    collate = trl_collator(tokenizer)

    def unmask(features: list[Any]) -> Any:
        batch = collate(features)
        return {**batch, "attention_mask": batch["attention_mask"].fill_(1)}

    with pytest.raises(ContractError, match="Padding that the student sees"):
        check_batches(unmask, as_features(examples[:2]), examples[:2])


def test_a_row_that_is_masked_is_no_row(tokenizer: Any, examples: list[Example]) -> None:
    collate = trl_collator(tokenizer)

    def hide(features: list[Any]) -> Any:
        batch = collate(features)
        return {**batch, "attention_mask": batch["attention_mask"].fill_(0)}

    with pytest.raises(ContractError, match="Label on padding"):
        check_batches(hide, as_features(examples[:1]), examples[:1])


def test_a_prompt_that_a_collator_labels_is_refused(
    tokenizer: Any, examples: list[Example]
) -> None:
    features = [
        {**one, "labels": [IGNORED, *one["input_ids"][1:]]} for one in as_features(examples)
    ]

    with pytest.raises(ContractError, match="Prompt trained too"):
        check_batches(trl_collator(tokenizer), features, examples)


@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
def test_the_batches_of_our_own_trainer_pass(
    tokenizer: Any, examples: list[Example], packed: bool
) -> None:
    from training.finetuning.batches import Batches, lay_out

    groups = [[2, 0], [4, 1], [3]] if packed else [[place] for place in range(5)]
    collate = Batches(tokenizer.pad_token_id, packed)

    check_batches(collate, lay_out(examples, groups), examples, batch_size=3)
