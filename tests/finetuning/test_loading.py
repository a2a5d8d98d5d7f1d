import shutil
from pathlib import Path

import pytest

from training.base_model import ModelLoadError, load_base, weights_sha256
from training.loading import load_model


def test_a_checkpoint_folder_loads_in_the_precision_asked_for(tiny_llama: Path) -> None:
    import torch

    model, tokenizer = load_model(tiny_llama, "bf16")

    assert model.dtype == torch.bfloat16
    assert not model.training
    assert tokenizer.pad_token_id is not None


def test_loading_prints_nothing_on_standard_output(
    tiny_llama: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    load_base(tiny_llama)

    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        pytest.param("folder", "found no folder there", id="no-folder"),
        pytest.param("config.json", r"found no config\.json", id="no-config"),
        pytest.param("model.safetensors", r"found no \*\.safetensors file", id="no-weights"),
    ],
)
def test_a_folder_that_is_no_checkpoint_is_refused_by_what_it_lacks(
    tmp_path: Path, missing: str, complaint: str
) -> None:
    folder = tmp_path / "student"
    if missing != "folder":
        folder.mkdir()
        for name in {"config.json", "model.safetensors"} - {missing}:
            (folder / name).write_text("{}")

    with pytest.raises(ModelLoadError, match=complaint):
        load_model(folder)


def test_a_checkpoint_of_unknown_architecture_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "abacus"}')
    (tmp_path / "model.safetensors").write_text("{}")

    with pytest.raises(ModelLoadError, match="cannot be loaded as a causal language model") as info:
        load_model(tmp_path)
    assert "\n" not in str(info.value)


def test_weights_that_lack_a_tensor_are_refused_by_its_name(
    tiny_llama: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_llama, tmp_path / "student")
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(ModelLoadError, match=r"lack 1 tensors .*model\.layers\.1\.mlp\.up_proj"):
        load_base(folder)


def test_other_weights_have_another_hash(tiny_llama: Path, other_llama: Path) -> None:
    assert weights_sha256(tiny_llama) != weights_sha256(other_llama)
    assert len(weights_sha256(tiny_llama)) == 64
