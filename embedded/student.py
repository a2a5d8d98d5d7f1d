"""Turn an embedded model's GGUF file into a Hugging Face checkpoint that can be trained.

Weights are stored as float32, twice the size of bfloat16 (538 MB against 269 MB for SmolLM2). A
4-bit weight is scale * code + minimum, which the 8 bits of a bfloat16 mantissa cannot hold, and the
checkpoint shall be the model that the file is, not one beside it; transformers also takes the
stored type as the type to load, and training in bfloat16 should be asked for.

Conversion grows with the weights and the vocabulary: 20 CPU-s and 1.2 GB at the peak for SmolLM2,
50 and 3.3 GB for Gemma 3 270M with its 262,144 tokens. So it is done once and kept.
"""

import shutil
import tempfile
from pathlib import Path

from filelock import FileLock

from embedded.child import last_lines, run_child
from embedded.models import EmbeddedModel
from schemas.errors import PacaloomError
from schemas.frozen import Frozen
from schemas.storage import atomic_folder

CONVERTER_VERSION = 1
"""Part of the folder's name: raised when the same file shall give another checkpoint."""


class ConversionError(PacaloomError):
    """A model file cannot become a checkpoint."""


class Conversion(Frozen):
    """What the child is told, as JSON in its only argument."""

    gguf: Path
    folder: Path
    """Exists and is empty."""


def prepare_student(model: EmbeddedModel, gguf: Path, cache: Path) -> Path:
    """Return the checkpoint folder of a model, converting the file first when there is none.

    The tokenizer is mended on the way: its pad token differs from its end-of-text token, because a
    trainer that masks padding would mask the end as well and the student would never learn to
    stop; and its maximum length is the model's.

    Args:
        model: Whose file it is.
        gguf: The file, as :func:`embedded.fetch.fetch_model` returned it.
        cache: Folder shared by all checkouts of a user.

    Raises:
        ConversionError: The file is broken, or its vocabulary has no token fit for padding.
    """
    folder = cache / "students" / f"{model.sha256[:16]}-{CONVERTER_VERSION}"
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f".{folder.name}.lock")):
                _convert_once(gguf, folder)
        except OSError as error:
            raise ConversionError(
                f"{folder} cannot be written: {error.strerror or error}. Free space there, mend "
                "the permissions, or choose another cache folder."
            ) from error
    return folder


def _convert_once(gguf: Path, folder: Path) -> None:
    """Convert unless another process did while this one waited for the lock."""
    if folder.is_dir():
        return
    # Half a gigabyte that a killed conversion left; nobody else holds the lock.
    for leftover in folder.parent.glob(f".{folder.name}.*/"):
        shutil.rmtree(leftover)
    with atomic_folder(folder) as temporary:
        _convert(gguf, temporary)


def _convert(gguf: Path, folder: Path) -> None:
    """Convert in a child, which gives back the peak memory: 440 MB stayed allocated otherwise."""
    conversion = Conversion(gguf=gguf.resolve(), folder=folder.resolve())
    with tempfile.TemporaryFile() as messages:
        with run_child(
            "embedded.student_child", conversion.model_dump_json(), messages, output=messages
        ) as child:
            status = child.wait()
        if status:
            raise ConversionError(
                f"{gguf} could not be turned into a checkpoint (status {status}): "
                f"{last_lines(messages, 0, 1)}. {folder.parent} needs free space of about six "
                "times the file; run the same command again once that is mended."
            )
