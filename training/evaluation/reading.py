"""Read what an evaluation found; needs no model, so nothing heavy is imported."""

from pathlib import Path

from pydantic import ValidationError

from schemas.errors import UserError
from schemas.evaluation import EvaluationReport
from schemas.storage import describe_validation_error

REPORT_FILE = "report.json"
ITEMS_FILE = "items.parquet"


class EvaluationError(UserError):
    """A request that cannot be met, or a folder that is no evaluation."""


def read_report(folder: Path) -> EvaluationReport:
    """Read what an evaluation found.

    Raises:
        EvaluationError: The folder is no evaluation.
    """
    path = folder / REPORT_FILE
    try:
        return EvaluationReport.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise EvaluationError(
            f"{folder} is no evaluation: wanted a folder with {REPORT_FILE}."
        ) from error
    except ValidationError as error:
        raise EvaluationError(
            f"{path} is no evaluation report: {describe_validation_error(error)}"
        ) from error
