"""What is right is let through: every row of real text, whatever it holds."""

import gzip
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import TemplateName
from schemas.records import Language
from tests.finetuning.contract_makers import (
    CHATML,
    TextTemplate,
    make_tokenizer,
    run_check,
)
from training.finetuning.contract.check import Contract
from training.finetuning.contract.faults import ContractError
from training.finetuning.contract.protection import protect
from training.finetuning.data import Row
from training.templating import find_template

CORPORA = Path(__file__).parents[2] / "../shared/data/corpora"
GEMMA = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"

needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="../shared/data is not on this machine"
)


def read_rows(language: Language, count: int) -> list[Row]:
    """Take real instructions, spread over all sources, each with another one for an answer."""
    with gzip.open(CORPORA / f"{language}_instructions.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["instruction"].strip() for line in lines]
    different = list({" ".join(text.casefold().split()): text for text in texts if text}.values())
    chosen = different[:: len(different) // count][:count]
    return [
        Row(f"{language}-{place}", text, "", chosen[place - 1], language)
        for place, text in enumerate(chosen)
    ]


def check_real_rows(count: int, tokenizer: Any, name: TemplateName = "instruction") -> Contract:
    rows = read_rows("en", count // 2) + read_rows("ko", count // 2)
    items = {"quiz": ["어느 것이 과일이 아닌지 고르십시오.", "Which of these is not a fruit?"]}
    held_out = [Row("held", "Name one bird of the night.", "", "An owl.", "en")]
    return run_check(
        rows,
        held_out,
        tokenizer=tokenizer,
        template=find_template(name, tokenizer),
        protected=protect(items),
        max_length_tokens=20_000,
    )


@needs_corpora
def test_no_row_of_real_text_is_refused() -> None:
    contract = check_real_rows(1000, make_tokenizer(adds_bos=True))

    assert contract.summary.rows == {"train": 1000, "validation": 1}
    assert contract.summary.languages == {"en": 500, "ko": 500}


@needs_corpora
@pytest.mark.slow
def test_no_row_of_real_text_is_refused_by_smollm2(smollm2_checkpoint: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2_checkpoint)
    contract = check_real_rows(20_000, tokenizer)

    assert contract.summary.rows["train"] == 20_000
    contract = check_real_rows(2_000, tokenizer, "chat")
    assert contract.summary.rows["train"] == 2_000


@needs_corpora
@pytest.mark.slow
def test_no_row_of_real_text_is_refused_by_gemma() -> None:
    from platformdirs import user_cache_path
    from transformers import AutoTokenizer

    students = user_cache_path("pacaloom") / "students"
    checkpoint = next(islice(students.glob(f"{GEMMA[:16]}-*"), 1), None)
    if checkpoint is None:
        pytest.skip("Gemma 3 270M, which needs its terms accepted, is not on this machine")

    contract = check_real_rows(20_000, AutoTokenizer.from_pretrained(checkpoint))

    assert contract.summary.rows["train"] == 20_000


ODD: list[tuple[str, str, Language]] = [
    ("spaces", "  two  spaces\tand a tab ", "en"),
    ("blank-lines", "First.\n\n\nSecond.\r\nThird.", "en"),
    ("code", "def f(x):\n    return {'a': x[0]}  # 100%\n", "en"),
    ("emoji", "Family: 👨\u200d👩\u200d👧 and flag 🇰🇷.", "en"),
    ("decomposed", "\u1112\u1161\u11ab\u1100\u1173\u11af 자모", "ko"),
    ("compatibility-jamo", "ㅋㅋㅋ ㅠㅠ 그래요.", "ko"),
    ("hanja", "大韓民國은 한국입니다.", "ko"),
    ("full-width", "Ａ１ １００％입니다.", "ko"),
    ("spelled-control", "Write </s> and <|im_end|> and <s>.", "en"),
    ("spelled-control-ko", "</s>와 <|im_end|>를 쓰세요.", "ko"),
    ("spelled-template", "### Instruction:\n{instruction} {input}\n\n### Response:", "en"),
    ("spelled-template-ko", "### 질문: {input}\n\n### 답변:", "ko"),
    ("replacement", "Broken \ufffd here.", "en"),
]


def odd_rows() -> list[Row]:
    return [Row(name, f"{text} ({name})", text, text, language) for name, text, language in ODD]


@pytest.mark.parametrize("adds_bos", [False, True], ids=["no-bos", "bos"])
def test_no_row_of_odd_text_is_refused(adds_bos: bool) -> None:
    tokenizer = make_tokenizer(adds_bos=adds_bos, merges=[(":", "Ċ"), ("Ġ", "a"), ("Ċ", "Ċ")])

    contract = run_check(odd_rows(), tokenizer=tokenizer)

    assert len(contract.train) == len(ODD)


def test_a_chat_template_that_fits_its_student_is_let_through() -> None:
    tokenizer = make_tokenizer(
        special=["<|im_start|>", "<|im_end|>"], chat_template=CHATML, merges=[("Ċ", "Ċ")]
    )
    rows = odd_rows()

    contract = run_check(rows, tokenizer=tokenizer, template=find_template("chat", tokenizer))

    assert [example.id for example in contract.train] == [row.id for row in rows]
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert {example.labels[-1] for example in contract.train} == {end}
    # The question's turn and the answer's, however often a record spells it.
    assert {example.input_ids.count(end) for example in contract.train} == {2}


SPACED = [
    Row("en", "Name a fruit.", "", "\nA pear.", "en"),
    Row("ko", "과일을 하나 말해 줘.", "", "\n\n배입니다.", "ko"),
]


def test_an_answer_that_begins_with_a_line_end_is_let_through_after_one() -> None:
    tokenizer = make_tokenizer(
        special=["<|im_start|>", "<|im_end|>"], chat_template=CHATML, merges=[("Ċ", "Ċ")]
    )

    contract = run_check(SPACED, tokenizer=tokenizer, template=find_template("chat", tokenizer))

    line_end, two = (tokenizer.convert_tokens_to_ids(token) for token in ("Ċ", "ĊĊ"))
    starts = [next(one for one in each.labels if one != -100) for each in contract.train]
    assert starts == [line_end, two]
    prompts = [each.input_ids[: each.labels.count(-100)] for each in contract.train]
    assert [prompt[-1] for prompt in prompts] == [line_end, line_end]


def test_control_tokens_that_swallow_white_space_are_let_through_as_inference_reads_them() -> None:
    from tokenizers import AddedToken

    names = ("<|user|>", "<|assistant|>", "<|end|>")
    tokenizer = make_tokenizer(
        merges=[("Ġ", "A")],
        # Phi-3's own.
        special=[AddedToken(name, rstrip=True, normalized=False) for name in names],  # pyright: ignore[reportArgumentType]
        chat_template=(
            "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}<|end|>\n"
            "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
        ),
    )
    rows = [*odd_rows(), SPACED[0]._replace(output="A pear."), SPACED[1]._replace(output="배.")]

    contract = run_check(rows, tokenizer=tokenizer, template=find_template("chat", tokenizer))

    for row, example in zip(rows[-2:], contract.train[-2:], strict=True):
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": row.instruction}], add_generation_prompt=True
        )
        assert example.input_ids[: example.labels.count(-100)] == asked["input_ids"]


def test_the_summary_counts_what_a_hand_counts() -> None:
    tokenizer = make_tokenizer()  # One token a byte.
    template = TextTemplate("Q:{q}A:")
    rows = [
        Row("1", "ab", "", "xyz", "en"),  # 4 + 2 + 3 bytes and the stop token
        Row("2", "ab", "", "xyz", "en"),
        Row("3", "가", "", "나다", "ko"),  # 4 + 3 + 6 bytes and the stop token
    ]

    summary = run_check(rows, tokenizer=tokenizer, template=template).summary

    assert (summary.tokens, summary.trained_tokens) == (10 + 10 + 14, 4 + 4 + 7)
    assert (summary.length_median, summary.length_longest) == (10, 14)
    assert summary.languages == {"en": 2, "ko": 1}
    assert summary.duplicates == 1
    assert summary.rows == {"train": 3, "validation": 1}


LONG = Row("long", "Go.", "", "Yes!" * 50, "en")
SHORT = [Row("en", "Go.", "", "Yes.", "en"), Row("ko", "가자.", "", "네.", "ko")]


def test_rows_at_the_limit_fit_and_longer_ones_are_named_with_both_remedies() -> None:
    longest = max(len(example.input_ids) for example in run_check(SHORT).train)
    assert len(run_check(SHORT, max_length_tokens=longest).train) == 2

    with pytest.raises(ContractError) as caught:
        run_check([*SHORT, LONG], max_length_tokens=longest)

    message = str(caught.value)
    assert "Row longer than the limit: 1 of 4 rows, the first is long (train)" in message
    assert f"the limit is {longest}" in message
    assert "max_length_tokens" in message
    assert "on_overlong" in message


def test_overlong_rows_are_left_out_and_counted_only_when_that_was_chosen() -> None:
    contract = run_check([*SHORT, LONG], max_length_tokens=150, on_overlong="drop")

    assert [example.id for example in contract.train] == ["en", "ko"]
    assert contract.summary.overlong == 1


def test_too_few_rows_left_are_refused_with_the_numbers() -> None:
    with pytest.raises(ContractError, match="Without the 1 rows above 150 tokens there are 2 tr"):
        run_check([*SHORT, LONG], max_length_tokens=150, on_overlong="drop", min_rows=3)


def test_all_kinds_are_counted_and_the_worst_is_told() -> None:
    rows = [
        *SHORT,
        SHORT[0]._replace(id="empty-1", instruction="Stay.", output=""),
        SHORT[1]._replace(id="empty-2", instruction="있자.", output="\n"),
        LONG._replace(id="long", instruction="Run."),
    ]

    with pytest.raises(ContractError) as caught:
        run_check(rows, max_length_tokens=150)

    assert caught.value.counts == {"no-labels": 2, "overlong": 1}
    assert str(caught.value).startswith(
        "Nothing to train: 2 of 6 rows, the first is empty-1 (train)"
    )
    assert str(caught.value).endswith("Other faults: row longer than the limit 1.")


def test_the_tokens_of_the_refused_row_are_there_to_be_shown() -> None:
    with pytest.raises(ContractError) as caught:
        run_check([*SHORT, SHORT[0]._replace(id="empty", instruction="Stay.", output="")])

    rows = caught.value.rows
    assert [row.trained for row in rows][-2:] == [True, True]  # Line end and stop token.
    assert not rows[0].trained
    assert rows[-1].text == "</s>"


def test_an_id_that_a_machine_wrote_cannot_break_the_line() -> None:
    with pytest.raises(ContractError) as caught:
        run_check([SHORT[0]._replace(id="a\nb\x1b[31m", output="")])

    assert r"'a\nb\x1b[31m'" in str(caught.value)


def test_relatives_may_be_on_both_sides_where_the_version_says_so() -> None:
    cousins = [
        Row("a", "Name a tree.", "", "An oak.", "en", ("a", "seed")),
        Row("b", "나무 하나를 말해 줘.", "", "참나무요.", "ko", ("b", "seed")),
    ]

    assert len(run_check(cousins[:1], cousins[1:], split_by="record").train) == 1
    with pytest.raises(ContractError, match="it descends from 'seed', as training row a does"):
        run_check(cousins[:1], cousins[1:], split_by="lineage")
