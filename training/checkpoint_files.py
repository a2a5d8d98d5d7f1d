"""Look at a checkpoint folder without loading it: is it one that can be tuned at all?

Everything is read from ``config.json``, the weights' index and the headers of the safetensors
files (https://github.com/huggingface/safetensors, "Format"): a few MB at most, no weights, no
torch. What transformers would find out after minutes, warn of only, or answer by running code of
the folder's, is refused here in one line. Cost: some milliseconds.
"""

import json
import struct
from pathlib import Path
from typing import NamedTuple, cast

from schemas.errors import UserError

_HEADER_LIMIT = 100_000_000
"""Bytes; the format's own limit."""
_INDEX = "model.safetensors.index.json"
_WANTED = "a checkpoint folder with config.json, a tokenizer and *.safetensors weights"
_CAUSAL = ("ForCausalLM", "LMHeadModel", "ForCausalLMWithValueHead")
_SENSES = ("vision_config", "audio_config", "speech_config")
_PACKED = {
    ".qweight": "GPTQ or AWQ",
    ".quant_state.bitsandbytes__nf4": "bitsandbytes",
    ".quant_state.bitsandbytes__fp4": "bitsandbytes",
    ".SCB": "bitsandbytes",
}
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


class ModelLoadError(UserError):
    """A folder is not a model that can be loaded, or not the base that an adapter belongs to."""


class TensorHeader(NamedTuple):
    """What a safetensors file says about one tensor."""

    dtype: str
    """As the format spells it: ``F32``, ``BF16``, ``U8``."""
    shape: tuple[int, ...]


def check_checkpoint(path: Path) -> None:
    """Refuse a folder that is no whole, unquantized causal language model in safetensors files.

    Raises:
        ModelLoadError: Names what the folder lacks or has too much of, and the next step.
    """
    if not path.is_dir():
        raise ModelLoadError(f"{path}: wanted {_WANTED}, found no folder there.")
    if not (path / "config.json").is_file():
        raise ModelLoadError(f"{path}: wanted {_WANTED}, found no config.json.")
    _check_config(path, read_config(path))
    for name in read_headers(path):
        for ending, maker in _PACKED.items():
            if name.endswith(ending):
                raise ModelLoadError(_quantized(path, f"{maker}, tensor {name}"))


def read_config(path: Path) -> dict[str, object]:
    """Read a checkpoint's ``config.json``.

    Raises:
        ModelLoadError: It is no JSON object.
    """
    return _read_json(path / "config.json")


def weight_files(path: Path) -> list[Path]:
    """Name the safetensors files that hold a checkpoint's weights, in order.

    Raises:
        ModelLoadError: There are none, or some that the index names are not there.
    """
    index = path / _INDEX
    if index.is_file():
        return _indexed_files(path, index)
    single = path / "model.safetensors"
    if single.is_file():
        return [single]
    if any(path.glob("*.safetensors")):
        raise ModelLoadError(
            f"{path}: wanted model.safetensors or {_INDEX}, found other *.safetensors files and "
            "neither of these. Fetch the checkpoint again, all of it."
        )
    found = "found no *.safetensors file."
    if pickled := sorted(file.name for pattern in _PICKLED for file in path.glob(pattern)):
        # Pickled weights can run code when they are read, so they are never loaded.
        found = (
            f"found no *.safetensors file, only {pickled[0]}, which can run code when it is read. "
            "Fetch the safetensors weights, or convert them where you trust their origin."
        )
    raise ModelLoadError(f"{path}: wanted {_WANTED}, {found}")


def read_headers(path: Path) -> dict[str, TensorHeader]:
    """Read names, number formats and shapes of all tensors of a checkpoint.

    Raises:
        ModelLoadError: A file is missing, cut off or damaged.
    """
    return {
        name: header for file in weight_files(path) for name, header in _read_header(file).items()
    }


def _check_config(path: Path, config: dict[str, object]) -> None:
    if "auto_map" in config:
        raise ModelLoadError(
            f"{path}: its config.json has an auto_map, which asks to run code from the folder; "
            "such code is never run here. Choose a student whose architecture transformers knows "
            "by itself."
        )
    if "quantization_config" in config:
        asked = config["quantization_config"]
        method = cast("dict[str, object]", asked).get("quant_method") if _is_object(asked) else None
        raise ModelLoadError(_quantized(path, str(method or "quantization_config in config.json")))
    names = config.get("architectures")
    named = [str(name) for name in cast("list[object]", names)] if isinstance(names, list) else []
    if senses := [sense for sense in _SENSES if sense in config]:
        raise _not_causal(path, f"{', '.join(named)} ({senses[0]})")
    if config.get("is_encoder_decoder") is True:
        raise _not_causal(path, f"{', '.join(named)} (is_encoder_decoder)")
    if named and not any(name.endswith(_CAUSAL) for name in named):
        raise _not_causal(path, ", ".join(named))


def _not_causal(path: Path, found: str) -> ModelLoadError:
    return ModelLoadError(
        f"{path}: wanted a causal language model that reads text, found {found} in config.json. "
        "Choose a student with an architecture …ForCausalLM."
    )


def _quantized(path: Path, how: str) -> str:
    return (
        f"{path}: the weights are quantized already ({how}), and what rounding took cannot be "
        "tuned back. Choose the unquantized student; method qlora quantizes it itself."
    )


def _indexed_files(path: Path, index: Path) -> list[Path]:
    places = _read_json(index).get("weight_map")
    if not _is_object(places) or not places:
        raise ModelLoadError(f"{index}: wanted a weight_map from tensors to files, found none.")
    names = sorted({str(name) for name in cast("dict[str, object]", places).values()})
    if outside := [name for name in names if Path(name).name != name]:
        raise ModelLoadError(f"{index}: {outside[0]!r} is no name of a file in this folder.")
    if missing := [name for name in names if not (path / name).is_file()]:
        raise ModelLoadError(
            f"{path}: {len(missing)} of the {len(names)} weight files that {_INDEX} names are "
            f"missing, the first is {missing[0]}. Fetch the checkpoint again, all of it."
        )
    return [path / name for name in names]


def _read_header(file: Path) -> dict[str, TensorHeader]:
    """Read the header of one safetensors file, and see that the file is as long as it says."""
    damaged = f"{file} is damaged or cut off; fetch it again."
    try:
        with file.open("rb") as weights:
            (length,) = struct.unpack("<Q", weights.read(8))
            text = weights.read(length) if length <= _HEADER_LIMIT else b""
        entries: dict[str, dict[str, object]] = json.loads(text)
        entries.pop("__metadata__", None)
        headers = {
            name: TensorHeader(str(entry["dtype"]), tuple(cast("list[int]", entry["shape"])))
            for name, entry in entries.items()
        }
        ends = [cast("list[int]", entry["data_offsets"])[1] for entry in entries.values()]
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelLoadError(damaged) from error
    except OSError as error:
        raise ModelLoadError(f"{file} cannot be read: {error.strerror}.") from error
    if file.stat().st_size != 8 + length + max(ends, default=0):
        raise ModelLoadError(damaged)
    return headers


def _read_json(file: Path) -> dict[str, object]:
    try:
        value: object = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelLoadError(f"{file}: wanted JSON, found {reason}. Fetch it again.") from error
    except OSError as error:
        raise ModelLoadError(f"{file} cannot be read: {error.strerror}.") from error
    if not _is_object(value):
        raise ModelLoadError(f"{file}: wanted a JSON object, found {type(value).__name__}.")
    return cast("dict[str, object]", value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
