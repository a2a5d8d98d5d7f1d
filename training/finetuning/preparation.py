"""What is known of a run before a weight is loaded: rows proven, template found, memory planned.

A run starts from here, and so do ``finetune --plan`` and ``--preview``: what they show is what a
run does. Cost: that of the contract; of the student only config, tokenizer and the headers of its
weights are read.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.manifest import DatasetManifest, MemoryEstimate
from schemas.templates import Template
from training.base_model import load_tokenizer
from training.finetuning.contract.check import Contract, Limits, check
from training.finetuning.contract.encoding import IGNORED
from training.finetuning.contract.protection import NOTHING_PROTECTED, Protected
from training.finetuning.data import read_dataset
from training.finetuning.memory.plan import RowLength, plan_memory
from training.finetuning.memory.shape import StudentShape, read_shape
from training.finetuning.recipe import Recipe, Settings, limit_length
from training.templating import find_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Preparation(NamedTuple):
    """What a run starts from."""

    dataset: DatasetManifest
    shape: StudentShape
    tokenizer: "PreTrainedTokenizerBase"
    template: Template
    contract: Contract
    lengths: list[RowLength]
    """Of the training rows."""
    memory: MemoryEstimate


def prepare(
    dataset: Path,
    student: Path,
    recipe: Recipe,
    settings: Settings,
    protected: Protected = NOTHING_PROTECTED,
    process_mb: float | None = None,
) -> Preparation:
    """Read and prove everything that a run needs.

    Args:
        dataset: Folder of a dataset version.
        student: Checkpoint folder of the base.
        recipe: How to tune.
        settings: What the recipe left open, decided.
        protected: Evaluation items that no training row may be or contain.
        process_mb: What this process holds already, for the plan; None takes what was measured of
            an empty one.

    Raises:
        UserError: Dataset or student cannot be used, the template does not fit the student, or rows
            break the contract.
    """
    data = read_dataset(dataset, recipe.min_rows)
    shape = read_shape(student)
    tokenizer = load_tokenizer(student)
    template = find_template(recipe.template, tokenizer)
    limits = Limits(
        max_length_tokens=limit_length(recipe, shape.longest),
        vocabulary_size=shape.vocabulary,
        on_overlong=recipe.on_overlong,
        min_rows=recipe.min_rows,
    )
    contract = check(data, template, tokenizer, limits, protected)
    lengths = [
        RowLength(len(example.labels), len(example.labels) - example.labels.count(IGNORED))
        for example in contract.train
    ]
    memory = plan_memory(shape, recipe, settings, lengths, process_mb)
    return Preparation(data.manifest, shape, tokenizer, template, contract, lengths, memory)
