"""Write nested Python values with tensors in them as JSON and safetensors, and read them again.

PyTorch's own way is ``torch.save``, a pickle, which can run code when it is read. Here tensors go
to a safetensors file under the path that leads to them, and what is around them to JSON: bit for
bit the same after reading, tuples, integer keys and shared tensors included.
"""

import json
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from safetensors import safe_open
from safetensors.torch import save_file


def write_tree(folder: Path, name: str, tree: object) -> None:
    """Write ``NAME.json`` and, when there are tensors, ``NAME.safetensors`` into a folder.

    Raises:
        TypeError: The tree holds something else than tensors and plain values.
        OSError: The disk does not take it, or safetensors' own error for the same.
    """
    tensors: dict[str, torch.Tensor] = {}
    layout = _lay_out(tree, "", tensors, {})
    (folder / f"{name}.json").write_text(json.dumps(layout), encoding="utf-8")
    if tensors:
        save_file(tensors, folder / f"{name}.safetensors")


def read_tree(folder: Path, name: str) -> Any:  # noqa: ANN401 (whatever was written)
    """Read what :func:`write_tree` wrote; tensors are on the CPU."""
    layout: JsonValue = json.loads((folder / f"{name}.json").read_bytes())
    path = folder / f"{name}.safetensors"
    tensors: dict[str, torch.Tensor] = {}
    if path.is_file():
        with safe_open(path, framework="pt", device="cpu") as file:
            # Cloned: what safetensors lends may be a read-only view of the file.
            tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
    return _restore(layout, tensors)


def _lay_out(
    value: object, path: str, tensors: dict[str, torch.Tensor], seen: dict[tuple[object, ...], str]
) -> JsonValue:
    """Describe a value in JSON; its tensors are put into ``tensors``, a shared one once."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.Tensor):
        # bitsandbytes gives all parameters the same quantization map.
        path = seen.setdefault(_identify(value), path)
        tensors[path] = value.detach().contiguous()
        return {"tensor": path}
    if isinstance(value, list | tuple):
        parts = [_lay_out(part, f"{path}/{i}", tensors, seen) for i, part in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": parts}
    if isinstance(value, dict):
        return {
            "dict": [
                [_lay_out(key, path, tensors, seen), _lay_out(part, f"{path}/{key}", tensors, seen)]
                for key, part in value.items()
            ]
        }
    raise TypeError(f"{path}: a {type(value).__name__} cannot be kept in a checkpoint")


def _identify(tensor: torch.Tensor) -> tuple[object, ...]:
    """Name what a tensor shows; two that show the same memory alike have the same name."""
    where = tensor.data_ptr() or id(tensor)
    return (where, tensor.dtype, tensor.shape, tensor.stride())


def _restore(layout: JsonValue, tensors: dict[str, torch.Tensor]) -> object:
    if not isinstance(layout, dict):
        return layout
    ((kind, content),) = layout.items()
    match kind, content:
        case "tensor", str():
            return tensors[content]
        case "list", list():
            return [_restore(part, tensors) for part in content]
        case "tuple", list():
            return tuple(_restore(part, tensors) for part in content)
        case "dict", list():
            pairs = [pair for pair in content if isinstance(pair, list)]
            return {_restore(key, tensors): _restore(part, tensors) for key, part in pairs}
        case _:
            raise ValueError(f"{kind!r} is no part of a checkpoint")
