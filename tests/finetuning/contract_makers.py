"""Tokenizers, templates and rows of which a test makes exactly one thing wrong."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.manifest import DatasetManifest
from schemas.records import Language
from schemas.rendering import Piece, Rendered
from schemas.templates import InstructionTemplate
from training.finetuning.contract.check import Contract, Limits, check
from training.finetuning.contract.protection import NOTHING_PROTECTED, Protected
from training.finetuning.data import Row, TrainingData

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class TextTemplate(NamedTuple):
    """Texts of a test's own; ``{q}`` is where the question stands."""

    prompt: str
    separator: str = ""
    stop: str = "</s>"
    name: str = "instruction"
    asked: str | None = None
    """What inference writes, where it differs."""
    start: str = ""

    def render(self, instruction: str, context: str, output: str, language: Language) -> Rendered:
        prompt = self.prompt.replace("{q}", instruction)
        return Rendered(prompt, self.separator + output)

    def render_prompt(self, instruction: str, context: str, language: Language) -> str:
        return (self.asked or self.prompt).replace("{q}", instruction)

    def lay_out_prompt(self, prompt: str) -> list[Piece]:
        return [Piece(prompt, self.name == "chat")]

    def lay_out_completion(self, completion: str) -> list[Piece]:
        return [Piece(completion, False)]


def make_tokenizer(
    *,
    merges: Sequence[tuple[str, str]] = (),
    adds_bos: bool = False,
    normalizer: Any = None,
    plain: Sequence[str] = (),
    special: Sequence[str] = (),
    chat_template: str | None = None,
) -> Any:
    """Build a byte-level tokenizer.

    Args:
        merges: Pairs of the byte alphabet's letters ("Ġ" a space, "Ċ" a line end).
        adds_bos: Whether it writes ``<s>`` before a text, as Gemma's and Llama's do.
        normalizer: Of the tokenizers library.
        plain: Tokens added without being marked as control tokens.
        special: Tokens added and marked as such.
        chat_template: Jinja.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate(letters)}
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.decoder = decoders.ByteLevel()
    if normalizer is not None:
        bpe.normalizer = normalizer
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, chat_template=chat_template)
    tokenizer.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"})
    tokenizer.add_tokens(list(plain))
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    if adds_bos:
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", tokenizer.bos_token_id)]
        )
    return tokenizer


def make_data(
    train: Sequence[Row], validation: Sequence[Row], split_by: str = "lineage"
) -> TrainingData:
    manifest = DatasetManifest.model_construct(name="made", split_by=split_by)
    return TrainingData(manifest, list(train), list(validation))


def run_check(
    train: Sequence[Row],
    validation: Sequence[Row] = (),
    *,
    template: Any = None,
    tokenizer: Any = None,
    protected: Protected = NOTHING_PROTECTED,
    split_by: str = "lineage",
    **limits: Any,
) -> Contract:
    """Check rows; one harmless row is held out when none is given."""
    tokenizer = tokenizer or make_tokenizer()
    held_out = validation or [Row("held", "새?", "", "매.", "ko", ("held",))]
    bounds: dict[str, Any] = {
        "max_length_tokens": 4096,
        "vocabulary_size": len(tokenizer),
        **limits,
    }
    return check(
        make_data(train, held_out, split_by),
        template or InstructionTemplate("</s>"),
        tokenizer,
        Limits(**bounds),
        protected,
    )
