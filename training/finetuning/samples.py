"""Ask the student a few fixed questions in both languages, before, during and after its training.

A loss that falls does not show that a student stopped ending its answers, or answers in the other
language; these answers do. They are greedy and take nothing from the run: no random number, no
weight and no mode is changed, so that a run with and one without them end in the same bytes.

Cost of a round, 8 answers of at most 64 tokens at once with a cache of keys and values, one thread:
SmolLM2-135M by QLoRA in bf16 7.3 CPU-s.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from schemas.manifest import SampleAnswer
from schemas.records import Language
from schemas.rendering import Rendered
from schemas.templates import Template
from training.finetuning.history import StepLog
from training.finetuning.methods import PromptTuningRecipe
from training.finetuning.recipe import Settings
from training.finetuning.student import LoadedStudent
from training.tokens import split_rows, start_tokens

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, PreTrainedTokenizerBase

SAMPLES_FILE = "samples.jsonl"

_MOST_TOKENS = 64


class Question(NamedTuple):
    """What is asked."""

    language: Language
    instruction: str
    input: str = ""


QUESTIONS = (
    Question("en", "Make this sentence more polite.", "Send me the report by Friday."),
    Question("en", "Name three things that people take to the beach."),
    Question("en", "A notebook costs 3 dollars. How much do 4 notebooks cost?"),
    Question("en", "Which planet is closest to the Sun?"),
    Question("ko", "다음 문장을 더 공손하게 고쳐 줘.", "금요일까지 보고서 보내."),
    Question("ko", "봄에 피는 꽃 세 가지를 말해 줘."),
    Question("ko", "사과가 12개 있었는데 5개를 먹었어. 몇 개 남았을까?"),
    Question("ko", "대한민국의 수도는 어디야?"),
)
"""In each language one with an input, one for a list, one in arithmetic and one about a fact."""


class Interview:
    """Asks one student and writes down what it answers."""

    def __init__(
        self,
        loaded: LoadedStudent,
        template: Template,
        settings: Settings,
        log: StepLog[SampleAnswer],
    ) -> None:
        """Prepare the questions.

        Args:
            loaded: The student; in 4 bits its layers must be guarded already.
            template: That of the run.
            settings: Those of the run: answers are computed in the same precision.
            log: Where answers go.
        """
        self._loaded = loaded
        self._settings = settings
        self._prompts = tokenize_questions(loaded.tokenizer, template)
        self._stop = cast("int", loaded.tokenizer.convert_tokens_to_ids(template.stop))
        self.log = log

    @property
    def needs_all(self) -> bool:
        """Whether the student answers only when all processes ask it, because each has a part."""
        from torch.distributed.fsdp import FSDPModule

        return isinstance(self._loaded.model, FSDPModule)

    def ask(self, step: int, *, write: bool = True) -> None:
        """Ask every question of the student as it is after ``step`` steps."""
        answers = self._answer(self._prompts, self._stop)
        if not write:
            return
        self.log.append(
            *(
                self._write_down(step, question, answer)
                for question, answer in zip(QUESTIONS, answers, strict=True)
            )
        )

    def _write_down(self, step: int, question: Question, answer: list[int]) -> SampleAnswer:
        text = cast("str", self._loaded.tokenizer.decode(_up_to(answer, self._stop)))
        return SampleAnswer(
            step=step,
            language=question.language,
            instruction=question.instruction,
            input=question.input,
            # A cut may go through a character of several tokens.
            answer=text.rstrip("\ufffd").strip(),
            ended=self._stop in answer,
        )

    def _answer(self, prompts: Sequence[list[int]], stop: int) -> list[list[int]]:
        """Continue each prompt greedily; what follows an answer's stop token is padding."""
        import torch

        device = self._settings.device
        model: Any = self._loaded.model
        autocast = torch.autocast(
            device, torch.bfloat16, enabled=self._settings.precision == "bf16"
        )
        with _evaluating(model), torch.no_grad(), autocast:
            padded = _pad(prompts, stop, model.device)
            if isinstance(self._settings.method, PromptTuningRecipe):
                return _continue_embedded(model, padded, stop)
            written = model.generate(**padded, generation_config=_greedy(stop))
        return [row[padded["input_ids"].shape[1] :] for row in written.tolist()]


def _pad(
    prompts: Sequence[list[int]], stop: int, device: "torch.device"
) -> "dict[str, torch.Tensor]":
    """Put padding before the prompts, so that all answers begin at the same place."""
    import torch

    widest = max(map(len, prompts))
    tokens = [[stop] * (widest - len(prompt)) + prompt for prompt in prompts]
    seen = [[0] * (widest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return {
        "input_ids": torch.tensor(tokens, device=device),
        "attention_mask": torch.tensor(seen, device=device),
    }


def _continue_embedded(
    model: Any,  # noqa: ANN401 (peft's model of prompt tuning)
    padded: "dict[str, torch.Tensor]",
    stop: int,
) -> list[list[int]]:
    """Continue prompts with the trained embeddings between padding and prompt.

    peft would put them before the padding and count positions through it (it ignores position
    ids), so that an answer would depend on the longest question beside it.
    """
    import torch

    base = model.get_base_model()
    embedded = base.get_input_embeddings()(padded["input_ids"])
    trained = model.get_prompt(batch_size=1).to(embedded.dtype)[0]
    rows, seen = [], []
    for row, mask in zip(embedded, padded["attention_mask"], strict=True):
        padding = int((mask == 0).sum())
        rows.append(torch.cat([row[:padding], trained, row[padding:]]))
        seen.append(torch.cat([mask, mask.new_ones(len(trained))]))
    written = base.generate(
        inputs_embeds=torch.stack(rows),
        attention_mask=torch.stack(seen),
        generation_config=_greedy(stop),
    )
    return written.tolist()


def open_samples(
    run: Path, checkpoint: int | None, sample_steps: int | None
) -> StepLog[SampleAnswer]:
    """Open the answers of a run that continues after a step; None starts it.

    Raises:
        HistoryError: It lacks answers that the run gave before its checkpoint.
        StorageError: It cannot be written.
    """
    asked_at = [] if checkpoint is None else [0]
    if checkpoint and sample_steps:
        asked_at += range(sample_steps, checkpoint + 1, sample_steps)
    expected = [asked for asked in asked_at for _ in QUESTIONS]
    return StepLog(run / SAMPLES_FILE, SampleAnswer, checkpoint, expected)


def tokenize_questions(tokenizer: "PreTrainedTokenizerBase", template: Template) -> list[list[int]]:
    """Write the questions in a template and cut them into tokens, start token included."""
    texts = [
        Rendered(template.render_prompt(one.instruction, one.input, one.language), "")
        for one in QUESTIONS
    ]
    start = start_tokens(tokenizer, template)
    return [[*start, *split.prompt] for split in split_rows(texts, template, tokenizer)]


def _greedy(stop: int) -> "GenerationConfig":
    from transformers import GenerationConfig

    # What is left open here is filled from the student's own generation_config.json, which may
    # sample or punish repetition.
    return GenerationConfig(
        max_new_tokens=_MOST_TOKENS,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        eos_token_id=stop,
        pad_token_id=stop,
        use_cache=True,
    )


@contextmanager
def _evaluating(model: "torch.nn.Module") -> Generator[None]:
    """Switch dropout off inside the block, and back to what each layer had."""
    trained = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in trained:
            module.training = True


def _up_to(answer: Sequence[int], stop: int) -> list[int]:
    return list(answer[: answer.index(stop)] if stop in answer else answer)
