"""Turn the models that a user names into models that can be asked."""

from pathlib import Path
from typing import TYPE_CHECKING

from flows.engine import Engine
from flows.resources import find_model_folder
from flows.settings import Settings
from training.base_model import Precision
from training.checkpoint_files import check_checkpoint
from training.evaluation.endpoint.reference import is_endpoint, read_reference
from training.finetuning.recipe import read_hardware

if TYPE_CHECKING:
    from training.evaluation.answerers import Answerer

Model = Path | str
"""A folder on this machine, or an endpoint's model as URL#MODEL."""


def find_model(reference: str, settings: Settings, engine: Engine) -> Model:
    """Find a folder, or check an address; asks nothing yet.

    Raises:
        UserError: It is neither.
    """
    if is_endpoint(reference):
        read_reference(reference)
        return reference
    return find_model_folder(reference, settings, engine)


def open_answerer(
    model: Model, settings: Settings, precision: Precision | None, *, needs_log_probs: bool = True
) -> "Answerer":
    """Open a model; its weights are loaded when it is first asked, an endpoint is tried out here.

    Args:
        model: From :func:`find_model`.
        settings: Hold the key of an endpoint.
        precision: Of a model on this machine; None takes bf16 where the processor computes in it.
        needs_log_probs: Given answers will have to be scored.

    Raises:
        UserError: The folder holds no model, or the endpoint has no such model or no
            log-probabilities.
    """
    # torch takes seconds to import, and openai one.
    if isinstance(model, Path):
        from training.evaluation.answerers import LocalModel

        # Weights are loaded when the models before this one were asked, which can be hours later.
        if not (model / "manifest.json").is_file():
            check_checkpoint(model)
        suitable = "bf16" if read_hardware().computes_bf16 else "fp32"
        return LocalModel(model, precision or suitable)
    from training.evaluation.endpoint.model import open_endpoint

    key = settings.api_key.get_secret_value() if settings.api_key else ""
    return open_endpoint(model, key, needs_log_probs)
