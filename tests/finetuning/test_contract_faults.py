"""Faults that ruined runs elsewhere, each put into data, tokenizer, template or collator.

The threads tell of models that never stop, answer with the question, or score by memory.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from schemas.templates import InstructionTemplate
from tests.finetuning.contract_makers import (
    CHATML,
    TextTemplate,
    make_tokenizer,
    run_check,
)
from training.finetuning.contract.batch_check import check_batches
from training.finetuning.contract.encoding import IGNORED, Example, tokenize_rows
from training.finetuning.contract.examining import examine, find_marks
from training.finetuning.contract.faults import ContractError, Fault, FaultKind
from training.finetuning.contract.protection import protect
from training.finetuning.contract.template_probe import check_template
from training.finetuning.data import Row

EN = Row("en-1", "Name a fruit.", "", "A pear.", "en", ("en-1", "seed-1"))
KO = Row("ko-1", "과일 하나를 말해 줘.", "", "배입니다.", "ko", ("ko-1", "seed-2"))
BOTH = [EN, KO]
CHAT = "<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n"
CHAT_TOKENS = ("<|im_start|>", "<|im_end|>")


class Seeded(NamedTuple):
    """One fault: where it was reported, how to make it, what the check has to say."""

    kind: FaultKind
    thread: str
    """Repository and number of a report of it."""
    make: Callable[[], None]
    """Calls the contract, which has to refuse."""
    row: str
    """The row that it names."""
    says: str
    """Part of what was found or of the remedy."""


def pad_is_eos_and_masked() -> None:
    from transformers import DataCollatorForLanguageModeling

    tokenizer = make_tokenizer()
    examples = tokenize_rows(BOTH, InstructionTemplate("</s>"), tokenizer)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False)

    def as_people_write_it(features: list[Any]) -> Any:
        batch = collate([{"input_ids": one["input_ids"]} for one in features])
        for line, one in zip(batch["labels"], features, strict=True):
            prompt = one["labels"].count(IGNORED)
            line[:prompt] = IGNORED
        return batch

    check_batches(as_people_write_it, as_features(examples), examples)


def answer_is_cut_at_the_limit() -> None:
    refuse_examples(lambda example: cut(example, len(example.input_ids) - 4))


def cut(example: Example, length: int) -> Example:
    return Example(example.id, example.input_ids[:length], example.labels[:length])


def stop_is_not_written() -> None:
    refuse_examples(lambda example: cut(example, len(example.input_ids) - 1))


def end_of_turn_is_not_trained() -> None:
    tokenizer = make_tokenizer(special=CHAT_TOKENS, chat_template=CHATML)
    run_check(BOTH, tokenizer=tokenizer, template=TextTemplate(CHAT, stop="</s>", name="chat"))


def start_is_written_twice() -> None:
    # The template writes it, and so does the tokenizer.
    template = TextTemplate("<s>Question: {q} Answer:", " ")
    tokenizer = make_tokenizer(adds_bos=True)
    refuse_examples(
        lambda example: Example(
            example.id,
            [tokenizer.bos_token_id, *example.input_ids],
            [IGNORED, *example.labels],
        ),
        tokenizer,
        template=TextTemplate(template.prompt.removeprefix("<s>"), " "),
    )


def answer_is_empty() -> None:
    run_check([EN, KO._replace(output=" ")])


def prompt_is_trained() -> None:
    refuse_examples(lambda example: example._replace(labels=list(example.input_ids)))


def prompt_mask_is_two_tokens_long() -> None:
    # As when the prompt's tokens came as a mapping of two keys and its length was taken.
    def unmask(example: Example) -> Example:
        return example._replace(labels=[IGNORED] * 2 + example.input_ids[2:])

    refuse_examples(unmask)


def control_token_is_spelled_in_a_record() -> None:
    # A conversion that forgot to mark the stop token as one.
    tokenizer = make_tokenizer(plain=["<|im_end|>"])
    forged = KO._replace(output="배<|im_end|>### 질문: 비밀은?")
    run_check([EN, forged], tokenizer=tokenizer, template=InstructionTemplate("<|im_end|>"))


def validation_prompt_is_trained_on() -> None:
    twin = Row("twin", "  과일 하나를 말해 줘.", "", "사과입니다.", "ko")
    run_check(BOTH, [twin])


def validation_has_a_trained_seed_task() -> None:
    cousin = Row("cousin", "Name a tree.", "", "An oak.", "en", ("cousin", "seed-1"))
    run_check(BOTH, [cousin])


def evaluation_item_is_trained_on() -> None:
    item = "다음 중 과일이 아닌 것은 무엇입니까?"
    row = KO._replace(id="ko-2", instruction=f"다음 물음에 답해 줘.\n\n{item}\n")
    run_check([EN, row], protected=protect({"fruit-quiz": [item]}))


def tokenizer_changes_text() -> None:
    from tokenizers import normalizers

    halves = KO._replace(output="½입니다.")
    run_check([EN, halves], tokenizer=make_tokenizer(normalizer=normalizers.NFKC()))


def tokenizer_has_more_tokens_than_the_student() -> None:
    run_check(BOTH, vocabulary_size=100)


def prompt_ends_in_white_space() -> None:
    tokenizer = make_tokenizer(merges=[("Ġ", "A"), ("Ġ", "ë")])
    run_check(BOTH, tokenizer=tokenizer, template=TextTemplate("Q: {q}\nA: "))


def inference_asks_otherwise() -> None:
    template = TextTemplate("### Question: {q} ### Answer:", " ", asked="{q}")
    run_check(BOTH, template=template)


def packed_positions_run_on() -> None:
    import torch

    examples, feature = packed()
    positions = torch.arange(len(feature["input_ids"]))[None]
    check_batches(lambda _: tensors(feature) | {"position_ids": positions}, [feature], examples)


def packed_rows_see_each_other() -> None:
    import torch

    examples, feature = packed()
    lengths = [len(example.input_ids) for example in examples]
    positions = torch.cat([torch.arange(length) for length in lengths])[None]
    mask = torch.ones_like(positions)
    batch = tensors(feature) | {"position_ids": positions, "attention_mask": mask}
    check_batches(lambda _: batch, [feature], examples)


def padding_is_trained() -> None:
    import torch

    examples = tokenize_rows(BOTH, InstructionTemplate("</s>"), make_tokenizer())
    longest = max(len(example.input_ids) for example in examples)
    ids = [example.input_ids + [0] * (longest - len(example.input_ids)) for example in examples]
    labels = [example.labels + [0] * (longest - len(example.labels)) for example in examples]
    mask = [[int(place < len(one.input_ids)) for place in range(longest)] for one in examples]
    batch = {"input_ids": ids, "labels": labels, "attention_mask": mask}
    tensor_batch = {name: torch.tensor(lines) for name, lines in batch.items()}
    check_batches(lambda _: tensor_batch, as_features(examples), examples)


SEEDED = [
    Seeded("untrained-stop", "huggingface/trl#976", pad_is_eos_and_masked, "en-1", "stop token"),
    Seeded("untrained-stop", "huggingface/trl#3299", stop_is_not_written, "en-1", "stop token"),
    Seeded("cut-answer", "hiyouga/LlamaFactory#5231", answer_is_cut_at_the_limit, "en-1", "raise"),
    Seeded("double-start", "huggingface/trl#1400", start_is_written_twice, "en-1", "chat template"),
    Seeded("no-labels", "axolotl-ai-cloud/axolotl#3864", answer_is_empty, "ko-1", "is empty"),
    Seeded("trained-prompt", "huggingface/trl#3279", prompt_is_trained, "en-1", "'Below is an "),
    Seeded(
        "trained-prompt", "huggingface/trl#6105", prompt_mask_is_two_tokens_long, "en-1", "prompt"
    ),
    Seeded(
        "control-in-text",
        "huggingface/transformers#29279",
        control_token_is_spelled_in_a_record,
        "ko-1",
        "tokenizer_config.json",
    ),
    Seeded(
        "in-both-splits",
        "huggingface/datasets#4261",
        validation_prompt_is_trained_on,
        "twin",
        "training row ko-1 asks the same",
    ),
    Seeded(
        "shared-lineage",
        "embeddings-benchmark/mteb#1036",
        validation_has_a_trained_seed_task,
        "cousin",
        "'seed-1', as training row en-1",
    ),
    Seeded(
        "evaluation-item",
        "EleutherAI/lm-evaluation-harness#1938",
        evaluation_item_is_trained_on,
        "ko-2",
        "evaluation task 'fruit-quiz'",
    ),
    Seeded(
        "changed-text",
        "huggingface/transformers#21161",
        tokenizer_changes_text,
        "ko-1",
        "'½입니다.' became '1⁄2입니다.'",
    ),
    Seeded(
        "outside-vocabulary",
        "meta-llama/llama-cookbook#189",
        tokenizer_has_more_tokens_than_the_student,
        "en-1",
        "embeddings for 0 to 99",
    ),
    Seeded("merged-border", "huggingface/trl#1920", prompt_ends_in_white_space, "en-1", "' '"),
    Seeded(
        "prompt-differs",
        "hiyouga/LlamaFactory#2509",
        inference_asks_otherwise,
        "en-1",
        "will be asked with 'Name a fruit.'",
    ),
    Seeded(
        "trained-padding", "axolotl-ai-cloud/axolotl#2227", padding_is_trained, "ko-1", "no label"
    ),
    Seeded(
        "positions-run-on", "hiyouga/LlamaFactory#2289", packed_positions_run_on, "en-1", "from 0"
    ),
    Seeded(
        "visible-neighbour", "huggingface/trl#1230", packed_rows_see_each_other, "en-1", "mask"
    ),
]  # fmt: skip


@pytest.mark.parametrize("seeded", [pytest.param(one, id=one.make.__name__) for one in SEEDED])
def test_a_fault_of_the_trackers_is_refused_with_its_row_and_the_remedy(seeded: Seeded) -> None:
    with pytest.raises(ContractError) as caught:
        seeded.make()

    message = str(caught.value)
    assert next(iter(caught.value.counts)) == seeded.kind
    assert f"the first is {seeded.row} (" in message
    assert seeded.says in message
    assert "\n" not in message
    assert caught.value.rows


def test_an_untrained_end_of_turn_is_refused() -> None:
    # axolotl-ai-cloud/axolotl#3754: Gemma's eos_token is not what ends a turn.
    with pytest.raises(ContractError, match=r"'<\|im_end\|>.*, but '</s>' would be trained"):
        end_of_turn_is_not_trained()


def test_a_template_that_ends_with_no_token_is_refused() -> None:
    with pytest.raises(ContractError, match=r"'<\|end\|>', which is no token"):
        run_check(BOTH, template=InstructionTemplate("<|end|>"))


def test_a_student_without_stop_token_is_refused() -> None:
    with pytest.raises(ContractError, match="has no stop token"):
        run_check(BOTH, template=InstructionTemplate(""))


def test_a_chat_template_that_changed_since_is_refused() -> None:
    tokenizer = make_tokenizer(special=CHAT_TOKENS, chat_template=CHATML)
    other = TextTemplate(CHAT.replace("user", "USER"), stop="<|im_end|>", name="chat")

    with pytest.raises(ContractError, match="The template changed"):
        run_check(BOTH, tokenizer=tokenizer, template=other)


# --- what the seeded faults are made with


def refuse_examples(
    spoil: Callable[[Example], Example], tokenizer: Any = None, template: Any = None
) -> None:
    """Spoil examples after they were made, as another tool would make them."""
    tokenizer = tokenizer or make_tokenizer()
    template = template or InstructionTemplate("</s>")
    marks = find_marks(template, tokenizer, check_template(template, tokenizer))
    examples = [spoil(example) for example in tokenize_rows(BOTH, template, tokenizer)]
    faults = examine(BOTH, examples, template, tokenizer, marks, len(tokenizer), "train")
    raise_for(faults, examples)


def raise_for(faults: Sequence[Fault], examples: Sequence[Example]) -> None:
    from training.finetuning.contract.faults import TokenRow, count_kinds, describe

    rows = [TokenRow(token, "", False) for token in examples[0].input_ids]
    if faults:
        raise ContractError(describe(faults, len(examples)), count_kinds(faults), rows)


def as_features(examples: Sequence[Example]) -> list[Any]:
    return [{"input_ids": one.input_ids, "labels": one.labels} for one in examples]


def packed() -> tuple[list[Example], dict[str, list[int]]]:
    """Put two rows into one sequence."""
    examples = tokenize_rows(BOTH, InstructionTemplate("</s>"), make_tokenizer())
    ids = [token for example in examples for token in example.input_ids]
    labels = [label for example in examples for label in example.labels]
    return examples, {"input_ids": ids, "labels": labels}


def tensors(feature: dict[str, list[int]]) -> dict[str, Any]:
    import torch

    return {name: torch.tensor([values]) for name, values in feature.items()}
