"""Fold an adapter into plain weights by the route that is measured to be closest.

The measure is the adapter on its base as it was trained: for QLoRA on 4-bit weights. Each route is
compared with it over next-token distributions, and the closest is taken. Onto the unquantized base
a QLoRA adapter is another model, because it has learned to mend the rounding to 4 bits; folded into
4-bit weights most of it is rounded away (KL 6e-3 to 8e-3 at 135M, against 1e-5 for the dequantized
base). All arithmetic is fp32, because bf16's own rounding would hide what the routes do.

Cost: a load and a pass over at most 1,536 tokens for the measure and for each route. One model is
in memory at a time, beside at most 512 MB of the measure's distributions. It is done once for a
version and written beside its folder.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from schemas.errors import PacaloomError
from schemas.exports import MergeReport, MergeRoute, RouteMeasurement
from schemas.manifest import TrainingManifest
from schemas.storage import StorageError, write_text
from training.base_model import four_bit, load_base, weights_sha256
from training.probes import Probes, read_probes
from training.quantization_guard import guard_quantized_layers
from training.quiet import quiet_libraries

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MOST_KL = 1e-3
"""Nats a position. Merges measure below 1e-4; above this something is broken, not rounded."""

_MOST_REFERENCE_BYTES = 512 << 20
_TEXTS_AT_ONCE = 8


class MergeError(PacaloomError):
    """No route gives the student that was trained."""


def load_merged(
    version: Path, manifest: TrainingManifest, base: Path
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Load a student of LoRA, QLoRA or DoRA as plain fp32 weights, by the closest route.

    Raises:
        MergeError: Even the closest route is another model than was trained.
    """
    return merge(version, base, merge_report(version, manifest, base).taken.route)


def merge_report(version: Path, manifest: TrainingManifest, base: Path) -> MergeReport:
    """Recall what was measured for a version, or measure now.

    Raises:
        MergeError: Even the closest route is another model than was trained.
    """
    adapter = weights_sha256(version)
    report = recall_report(version, manifest)
    if report is None or report.adapter_sha256 != adapter:
        report = _measure(version, manifest, base, adapter)
        if version.name == manifest.version:
            _remember(version, report)
    if report.taken.kl > MOST_KL:
        raise MergeError(
            f"{version} cannot be merged: the closest route, {report.taken.route}, differs from "
            f"the adapter on its base by {report.taken.kl:.1e} nats a token, wanted at most "
            f"{MOST_KL:g}. Delete {_report_path(version)} to measure again; if it stays, finetune "
            "again."
        )
    return report


def recall_report(version: Path, manifest: TrainingManifest) -> MergeReport | None:
    """Read what was measured for a version before; None when nothing was."""
    try:
        report = MergeReport.model_validate_json(_report_path(version).read_bytes())
    except (OSError, ValidationError):
        return None
    return report if report.base_sha256 == manifest.student_sha256 else None


def list_routes(manifest: TrainingManifest) -> tuple[MergeRoute, ...]:
    """Name the routes that there are for a student's method."""
    return ("dequantized", "original", "four-bit") if manifest.method == "qlora" else ("original",)


def merge(
    version: Path, base: Path, route: MergeRoute
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Load the base, fold the adapter in by the route, and return plain fp32 weights."""
    model, tokenizer = load_base(base, None if route == "original" else four_bit("fp32"))
    with quiet_libraries(), warnings.catch_warnings():
        # How much is lost by rounding again is what is measured here.
        warnings.filterwarnings("ignore", message="Merge lora module to 4-bit linear")
        if route == "dequantized":
            model = model.dequantize()
        merged: Any = _put_adapter_on(model, version).merge_and_unload()
        if route == "four-bit":
            merged = merged.dequantize()
    return merged, tokenizer


def load_unmerged(
    version: Path, manifest: TrainingManifest, base: Path
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Load the adapter on its base as it was trained, computing in fp32."""
    quantized = manifest.method == "qlora"
    model, tokenizer = load_base(base, four_bit("fp32") if quantized else None)
    if quantized:
        guard_quantized_layers(model)
    with quiet_libraries():
        return _put_adapter_on(model, version).eval(), tokenizer


def measure_routes(
    version: Path, manifest: TrainingManifest, base: Path, texts: Sequence[list[int]]
) -> list[RouteMeasurement]:
    """Compare every route with the adapter on its base; closest first."""
    reference, _ = load_unmerged(version, manifest, base)
    expected = list(next_token_log_probabilities(reference, texts))
    del reference  # Before the next one is loaded.
    measured: list[RouteMeasurement] = []
    for route in list_routes(manifest):
        model, _ = merge(version, base, route)
        found = next_token_log_probabilities(model.eval(), texts)
        kl, same = compare_distributions(expected, found)
        measured.append(RouteMeasurement(route=route, kl=kl, same_next_token=same))
        del model
    return sorted(measured, key=lambda one: one.kl)


def next_token_log_probabilities(
    model: "torch.nn.Module", texts: Sequence[list[int]]
) -> "Iterator[torch.Tensor]":
    """Yield log-probabilities of each next token, ``(len(text), vocabulary)``, for each text.

    Several texts at once, because a 4-bit model restores all its weights at each pass. What fills
    up the shorter ones stands behind them, where no token of theirs sees it.
    """
    import torch

    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        group = texts[start : start + _TEXTS_AT_ONCE]
        width = max(map(len, group))
        tokens = torch.tensor([[*text, *([0] * (width - len(text)))] for text in group])
        seen = torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in group])
        with torch.no_grad(), quiet_libraries():
            logits = model(input_ids=tokens, attention_mask=seen).logits
        for row, text in zip(logits, group, strict=True):
            yield row[: len(text)].float().log_softmax(-1)


def compare_distributions(
    expected: "Iterable[torch.Tensor]", found: "Iterable[torch.Tensor]"
) -> tuple[float, float]:
    """Return mean KL(expected || found) in nats, and the share of the same likeliest tokens."""
    kl, same, positions = 0.0, 0, 0
    for wanted, got in zip(expected, found, strict=True):
        kl += (wanted.exp() * (wanted - got)).sum(-1).double().sum().item()
        same += int((wanted.argmax(-1) == got.argmax(-1)).sum())
        positions += len(wanted)
    # Equal distributions differ by less than 1e-8, to either side.
    return max(0.0, kl / positions), same / positions


def _measure(
    version: Path, manifest: TrainingManifest, base: Path, adapter_sha256: str
) -> MergeReport:
    from transformers import AutoConfig, AutoTokenizer

    with quiet_libraries():
        tokenizer = AutoTokenizer.from_pretrained(version, local_files_only=True)
        vocabulary = AutoConfig.from_pretrained(base, local_files_only=True).vocab_size
    probes = _within_memory(read_probes(version, manifest, tokenizer), vocabulary)
    measured = measure_routes(version, manifest, base, probes.texts)
    return MergeReport(
        adapter_sha256=adapter_sha256,
        base_sha256=manifest.student_sha256,
        taken=measured[0],
        measured=tuple(measured),
        texts=len(probes.texts),
        held_out_rows=probes.held_out_rows,
        positions=sum(map(len, probes.texts)),
    )


def _within_memory(probes: Probes, vocabulary: int) -> Probes:
    """Shorten every text alike, so that the distributions over all of them fit."""
    most = _MOST_REFERENCE_BYTES // (4 * vocabulary)
    per_text = max(1, most // len(probes.texts))
    return probes._replace(texts=[text[:per_text] for text in probes.texts])


def _put_adapter_on(model: "PreTrainedModel", version: Path) -> Any:  # noqa: ANN401 - peft's types
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(version))


def _report_path(version: Path) -> Path:
    return version.with_name(f"{version.name}.merge.json")


def _remember(version: Path, report: MergeReport) -> None:
    try:
        write_text(_report_path(version), report.model_dump_json(indent=2))
    except StorageError:
        # A folder that can only be read is measured each time.
        return
