"""Merged weights are the adapter on its base; peft itself is the oracle."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import Method, TrainingManifest
from schemas.storage import read_manifest
from tests.finetuning.tuned_students import build_tiny_gemma, write_tuned
from training.base_model import four_bit, load_base
from training.loading import load_model, measure_merge
from training.merging import (
    MergeError,
    compare_distributions,
    load_unmerged,
    measure_routes,
    merge,
    recall_report,
)
from training.quantization_guard import guard_quantized_layers
from training.quiet import quiet_libraries
from training.tokens import start_tokens, virtual_token

TEXTS = ["Name the colour of ball 3.", "3번 공의 색을 말해 줘. 공은 초록입니다."]


def read(version: Path) -> TrainingManifest:
    return read_manifest(version, TrainingManifest, "a tuned student")


def logits_of(model: Any, tokens: list[int]) -> Any:
    import torch

    with torch.no_grad(), quiet_libraries():
        return model.eval()(input_ids=torch.tensor([tokens])).logits[0]


@pytest.mark.parametrize("method", ["lora", "qlora", "dora"])
def test_merged_logits_equal_those_of_peft_with_the_adapter_on_its_base(
    tiny_llama: Path, tmp_path: Path, method: Method
) -> None:
    from peft import PeftModel

    version = write_tuned(tmp_path, tiny_llama, method)
    base, _ = load_base(tiny_llama, four_bit("fp32") if method == "qlora" else None)
    guard_quantized_layers(base)
    with quiet_libraries():
        unmerged = PeftModel.from_pretrained(base, str(version))
    merged, tokenizer = load_model(version)
    plain, _ = load_base(tiny_llama)

    for text in TEXTS:
        tokens = tokenizer(text)["input_ids"]
        wanted, found = logits_of(unmerged, tokens), logits_of(merged, tokens)
        assert (wanted - found).abs().max() < 1e-4
        # The adapter does something, or the comparison would say nothing.
        assert (wanted - logits_of(plain, tokens)).abs().max() > 1e-1


def test_a_merge_after_an_evaluation_of_the_4_bit_model_is_the_same(
    tiny_llama: Path, tmp_path: Path
) -> None:
    # An unguarded evaluation repacks the 4-bit weights in place on some CPUs, and a merge after it
    # folds the adapter into garbage.
    version = write_tuned(tmp_path, tiny_llama, "qlora")
    evaluated, tokenizer = load_unmerged(version, read(version), tiny_llama)
    tokens = tokenizer(TEXTS[1])["input_ids"]
    before = logits_of(evaluated, tokens)

    with quiet_libraries(), pytest.warns(UserWarning, match="Merge lora module to 4-bit"):
        after: Any = evaluated.merge_and_unload()  # type: ignore[operator] # peft's

    untouched, _ = merge(version, tiny_llama, "four-bit")
    assert (logits_of(after, tokens) - logits_of(untouched, tokens)).abs().max() < 1e-4
    assert (before - logits_of(after, tokens)).abs().max() < 0.5  # Rounded again, not garbage.


def test_qlora_takes_the_dequantized_base_because_it_measures_closest(
    tiny_llama: Path, tmp_path: Path
) -> None:
    report = measure_merge(write_tuned(tmp_path, tiny_llama, "qlora"))

    assert report is not None
    assert {one.route for one in report.measured} == {"dequantized", "original", "four-bit"}
    assert report.taken == report.measured[0]
    assert report.taken.route == "dequantized"
    assert report.taken.kl <= 1e-4
    assert report.taken.same_next_token >= 0.995
    assert [one.kl for one in report.measured] == sorted(one.kl for one in report.measured)
    assert report.measured[1].kl > 1e-4


def test_the_report_of_a_version_is_written_beside_it_and_not_measured_twice(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = write_tuned(tmp_path, tiny_llama, "lora")
    files = {file.name for file in version.iterdir()}
    measured = measure_merge(version)
    monkeypatch.setattr("training.merging.measure_routes", None)

    assert measure_merge(version) == measured == recall_report(version, read(version))
    assert {file.name for file in version.iterdir()} == files


def test_a_report_of_other_weights_is_not_believed(tiny_llama: Path, tmp_path: Path) -> None:
    version = write_tuned(tmp_path, tiny_llama, "lora")
    report = measure_merge(version)
    assert report is not None
    stale = report.model_copy(update={"adapter_sha256": "0" * 64, "positions": 7})
    path = version.with_name(f"{version.name}.merge.json")
    path.write_text(stale.model_dump_json())

    assert measure_merge(version) == report


def test_a_student_that_no_route_gives_back_is_refused_in_one_line(
    tiny_llama: Path, tmp_path: Path
) -> None:
    version = write_tuned(tmp_path, tiny_llama, "lora")
    report = measure_merge(version)
    assert report is not None
    broken = report.taken.model_copy(update={"kl": 0.4})
    path = version.with_name(f"{version.name}.merge.json")
    path.write_text(report.model_copy(update={"taken": broken}).model_dump_json())

    with pytest.raises(MergeError, match=r"differs .* by 4\.0e-01 nats") as caught:
        load_model(version)
    assert "\n" not in str(caught.value)


def test_held_out_rows_of_the_dataset_are_probes_where_it_is_at_hand(
    tiny_llama: Path, colours: Path, tmp_path: Path
) -> None:
    manifest = json.loads((colours / "manifest.json").read_text())
    version = write_tuned(tmp_path, tiny_llama, "lora", dataset_hash=manifest["content_hash"])
    (tmp_path / "datasets" / "colours").mkdir(parents=True)
    (tmp_path / "datasets" / "colours" / manifest["version"]).symlink_to(colours)

    report = measure_merge(version)

    assert report is not None
    assert report.held_out_rows == 6
    assert report.texts == 12 + 6


def test_divergence_and_agreement_equal_the_values_worked_out_by_hand() -> None:
    import torch

    expected = torch.tensor([[0.5, 0.5], [0.9, 0.1]]).log()
    found = torch.tensor([[0.25, 0.75], [0.6, 0.4]]).log()

    kl, same = compare_distributions([expected], [found])

    # 0.5 ln 2 + 0.5 ln (2/3) = 0.143841 and 0.9 ln 1.5 + 0.1 ln 0.25 = 0.226289
    assert kl == pytest.approx((0.143841 + 0.226289) / 2, abs=1e-5)
    assert same == 0.5


@pytest.mark.parametrize("network", ["llama", "gemma"])
def test_a_prompt_tuned_student_is_asked_like_any_other_and_answers_as_peft_does(
    tiny_llama: Path, tmp_path: Path, network: str
) -> None:
    from peft import PeftModel

    # Gemma multiplies the embeddings of tokens, but not those that were trained.
    folder = build_tiny_gemma(tmp_path / "g", tiny_llama) if network == "gemma" else tiny_llama
    version = write_tuned(tmp_path, folder, "prompt_tuning")
    base, _ = load_base(folder)
    with quiet_libraries():
        oracle = PeftModel.from_pretrained(base, str(version))

    model, tokenizer = load_model(version)

    start = start_tokens(tokenizer)
    assert start == tokenizer.convert_tokens_to_ids([virtual_token(n) for n in range(5)])
    for text in TEXTS:
        tokens = tokenizer(text)["input_ids"]
        found, wanted = logits_of(model, [*start, *tokens]), logits_of(oracle, tokens)
        assert found.shape[1] == base.config.vocab_size  # No virtual token can be an answer.
        assert (found[-len(tokens) :] - wanted[-len(tokens) :]).abs().max() < 1e-4


def test_a_fully_tuned_student_has_nothing_to_merge(tiny_llama: Path, tmp_path: Path) -> None:
    version = write_tuned(tmp_path, tiny_llama, "full")

    assert measure_merge(version) is None
    assert load_model(version)[0].num_parameters() == 341_120


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "qlora", "dora"])
def test_smollm2_merges_within_the_bounds(
    smollm2_checkpoint: Path, tmp_path: Path, method: Method
) -> None:
    version = write_tuned(tmp_path, smollm2_checkpoint, method, size=0.005)
    _, tokenizer = load_base(smollm2_checkpoint)
    texts = [tokenizer(text)["input_ids"] for text in TEXTS]

    closest = measure_routes(version, read(version), smollm2_checkpoint, texts)[0]

    assert closest.kl <= 1e-4
    assert closest.same_next_token >= 0.995
