import json
import shutil
from pathlib import Path

import pytest

from training.base_model import four_bit, load_base, weights_sha256
from training.checkpoint_files import ModelLoadError, check_checkpoint
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


def write_checkpoint(folder: Path, config: str, tensors: dict[str, list[int]]) -> Path:
    """Write a checkpoint whose tensors are bytes, as its header says them."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(config, encoding="utf-8")
    header: dict[str, object] = {}
    end = 0
    for name, shape in tensors.items():
        size = shape[0] * shape[1]
        header[name] = {"dtype": "U8", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + bytes(end)
    (folder / "model.safetensors").write_bytes(data)
    return folder


def test_a_checkpoint_of_unknown_architecture_is_refused_in_one_line(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, '{"model_type": "abacus"}', {})

    with pytest.raises(ModelLoadError, match="cannot be loaded as a causal language model") as info:
        load_model(tmp_path)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        pytest.param("{", r"config\.json: wanted JSON, found Expecting", id="half-a-config"),
        pytest.param("[" * 100_000, r"config\.json: wanted JSON, found", id="nested-too-deep"),
        pytest.param('["LlamaForCausalLM"]', "wanted a JSON object, found list", id="no-object"),
        pytest.param(
            '{"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": true}',
            r"causal language model .* found T5ForConditionalGeneration \(is_encoder_decoder\)",
            id="encoder-decoder",
        ),
        pytest.param('{"architectures": ["BertForMaskedLM"]}', "found BertForMaskedLM", id="bert"),
        pytest.param(
            '{"architectures": ["Gemma3ForConditionalGeneration"], "vision_config": {}}',
            r"found Gemma3ForConditionalGeneration \(vision_config\)",
            id="vision",
        ),
        pytest.param(
            '{"auto_map": {"AutoModelForCausalLM": "modeling_x.XForCausalLM"}}',
            "such code is never run here",
            id="remote-code",
        ),
        pytest.param(
            '{"quantization_config": {"quant_method": "gptq", "bits": 4}}',
            r"quantized already \(gptq\)",
            id="gptq-config",
        ),
    ],
)
def test_a_config_that_is_no_students_is_refused_by_what_it_says(
    tmp_path: Path, config: str, complaint: str
) -> None:
    write_checkpoint(tmp_path, config, {})

    with pytest.raises(ModelLoadError, match=complaint) as info:
        check_checkpoint(tmp_path)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("tensor", "maker"),
    [
        ("model.layers.0.self_attn.q_proj.qweight", "GPTQ or AWQ"),
        ("model.layers.0.self_attn.q_proj.weight.quant_state.bitsandbytes__nf4", "bitsandbytes"),
        ("model.layers.0.self_attn.q_proj.SCB", "bitsandbytes"),
    ],
)
def test_weights_that_are_quantized_already_are_refused_by_their_tensors(
    tmp_path: Path, tensor: str, maker: str
) -> None:
    write_checkpoint(tmp_path, "{}", {tensor: [8, 8]})

    with pytest.raises(ModelLoadError, match=rf"quantized already \({maker}, tensor model"):
        check_checkpoint(tmp_path)


def test_the_code_that_a_checkpoint_brings_is_never_run(tiny_llama: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "student")
    ran = tmp_path / "ran"
    (folder / "modeling_x.py").write_text(f"open({str(ran)!r}, 'w')")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {
        "AutoConfig": "modeling_x.X",
        "AutoModelForCausalLM": "modeling_x.X",
        "AutoTokenizer": ["modeling_x.X", None],
    }
    (folder / "config.json").write_text(json.dumps(config))

    with pytest.raises(ModelLoadError, match="never run here"):
        load_model(folder)
    assert not ran.exists()


def test_pickled_weights_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")

    with pytest.raises(ModelLoadError, match=r"only pytorch_model\.bin, which can run code"):
        check_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        pytest.param(
            '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}',
            r"1 of the 2 weight files .* the first is model-2\.safetensors",
            id="shard-missing",
        ),
        pytest.param("{}", "wanted a weight_map", id="no-map"),
        pytest.param(
            '{"weight_map": {"a": "../model-1.safetensors"}}', "is no name of a file", id="outside"
        ),
    ],
)
def test_an_index_that_does_not_fit_its_folder_is_refused(
    tmp_path: Path, index: str, complaint: str
) -> None:
    folder = write_checkpoint(tmp_path / "student", "{}", {})
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(index)

    with pytest.raises(ModelLoadError, match=complaint):
        check_checkpoint(folder)


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_weights_that_were_cut_off_are_refused_before_they_are_loaded(
    tiny_llama: Path, tmp_path: Path, kept: int
) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "student")
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:kept])

    with pytest.raises(ModelLoadError, match=r"model\.safetensors is damaged or cut off"):
        check_checkpoint(folder)


@pytest.mark.parametrize("quantized", [False, True])
def test_weights_in_shards_or_one_file_load_as_transformers_itself_loads_them(
    tiny_llama: Path, tmp_path: Path, quantized: bool
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    sharded = shutil.copytree(tiny_llama, tmp_path / "student")
    (sharded / "model.safetensors").unlink()
    oracle = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32)
    oracle.save_pretrained(sharded, max_shard_size="500KB")
    assert len(list(sharded.glob("*.safetensors"))) > 1
    quantization = four_bit("fp32") if quantized else None
    if quantization is not None:
        oracle = AutoModelForCausalLM.from_pretrained(
            tiny_llama, dtype=torch.float32, quantization_config=quantization
        )
    wanted = oracle.state_dict()

    for folder in (tiny_llama, sharded):
        model, _ = load_base(folder, quantization)

        assert model.generation_config.to_dict() == oracle.generation_config.to_dict()
        assert model.config.name_or_path == str(folder)
        found = model.state_dict()
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_weights_in_bf16_are_loaded_in_fp32_without_rounding(
    tiny_llama: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_llama, tmp_path / "student")
    weights = {
        name: one.bfloat16() for name, one in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    model, _ = load_base(folder)

    found = model.state_dict()
    assert found["model.norm.weight"].dtype == torch.float32
    assert all(torch.equal(found[name], one.float()) for name, one in weights.items())


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
