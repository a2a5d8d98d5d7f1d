"""What each method of tuning adds to a recipe: its own settings, and where each default comes from.

Every default carries its :class:`Origin`, which ``./pacaloom finetune --explain`` prints. TRL and
peft have others, which lose quality without a word: peft adapts only the query and value
projections, TRL keeps full finetuning's learning rate for LoRA and quantizes without double
quantization.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from schemas.frozen import Frozen
from schemas.manifest import Method


class Origin(NamedTuple):
    """Where a default comes from: paper and table, a measurement, or common practice."""

    text: str


_ALL_LINEAR = Origin(
    "QLoRA paper, figure 2: adapting every linear layer matters more than the rank; peft would "
    "take query and value only"
)
_RANK = Origin(
    "QLoRA paper, figure 4: no trend from 8 to 256 when all linear layers are adapted; 16 is "
    "3.6 % of SmolLM2-135M's parameters"
)
_ALPHA = Origin("scale alpha / r = 2, as LoRA's authors ship it (arXiv:2106.09685, repository)")
_DROPOUT = Origin("QLoRA paper, table 9 has 0.1 at 7B and 0.05 above; off, so that steps repeat")

Rank = Annotated[int, Field(ge=1, le=512)]
Alpha = Annotated[int, Field(ge=1, le=1024)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]


class FullRecipe(Frozen):
    """Every weight is trained."""

    learning_rate: Annotated[
        LearningRate, Origin("Stanford Alpaca, training recipe for LLaMA-7B; TRL's default too")
    ] = 2e-5


class LoraRecipe(Frozen):
    """Small matrices beside every linear layer of the frozen base (arXiv:2106.09685)."""

    learning_rate: Annotated[
        LearningRate, Origin("QLoRA paper, table 9 (7B and 13B); TRL would keep 2e-5")
    ] = 2e-4
    r: Annotated[Rank, _RANK] = 16
    alpha: Annotated[Alpha, _ALPHA] = 32
    dropout: Annotated[Dropout, _DROPOUT] = 0.0
    target_modules: Annotated[Literal["all-linear"], _ALL_LINEAR] = "all-linear"


class QloraRecipe(LoraRecipe):
    """LoRA over a base stored in 4 bits (arXiv:2305.14314, section 3)."""

    quantization: Annotated[
        Literal["nf4"], Origin("QLoRA paper, table 2 and figure 3: better than 4-bit floats")
    ] = "nf4"
    double_quantization: Annotated[
        Literal[True],
        Origin("QLoRA paper, section 3: 0.37 bits a parameter less at no loss; TRL has it off"),
    ] = True


class DoraRecipe(LoraRecipe):
    """LoRA with direction and magnitude apart (arXiv:2402.09353); about 1.5 of LoRA's time."""

    learning_rate: Annotated[
        LearningRate, Origin("as LoRA's here: DoRA's paper tunes in the same range")
    ] = 2e-4


class PromptTuningRecipe(Frozen):
    """Only the embeddings of some tokens before every prompt are trained (arXiv:2104.08691)."""

    learning_rate: Annotated[
        LearningRate,
        Origin("peft's own example with AdamW; the paper's 0.3 belongs to Adafactor"),
    ] = 3e-2
    virtual_tokens: Annotated[
        int,
        Field(ge=1, le=512),
        Origin("Lester et al. 2021, figure 3b: past 20 tokens gains are marginal"),
    ] = 20


MethodRecipe = FullRecipe | LoraRecipe | QloraRecipe | DoraRecipe | PromptTuningRecipe

METHODS: dict[Method, type[MethodRecipe]] = {
    "full": FullRecipe,
    "lora": LoraRecipe,
    "qlora": QloraRecipe,
    "dora": DoraRecipe,
    "prompt_tuning": PromptTuningRecipe,
}
