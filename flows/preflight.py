"""Find out before the first request what would only fail an hour later.

Generation checks its own needs at its start: seeds, teacher, journal. Here is looked at what the
stages after it need. A student that is not here yet is fetched and converted, because it will be
needed and the network may be gone; a request to a teacher costs money, a fetched model does not.
"""

from flows.engine import Engine
from flows.parameters import RetrainParams, part_of
from flows.resources import choose_teacher, get_student, load_seeds
from flows.settings import Settings
from pipeline.publishing.versions import check_name
from schemas.errors import UserError
from training.base_model import check_checkpoint, load_tokenizer
from training.evaluation.cells import plan_cells
from training.evaluation.tasks.loading import load_tasks
from training.finetuning.recipe import Recipe, read_hardware, resolve
from training.templating import find_template


class RetrainRequestError(UserError):
    """The parameters cannot lead to a verdict."""


def check_retrain(params: RetrainParams, settings: Settings, engine: Engine) -> None:
    """Check everything that is known before the first request, the cheapest first.

    Raises:
        UserError: The first thing that stands in the way.
        PacaloomError: The student cannot be fetched or converted.
    """
    check_name(params.name)
    if 0 not in params.shots:
        raise RetrainRequestError(
            "The verdict is about zero-shot accuracy, but --shots has only "
            f"{', '.join(map(str, params.shots))}: add --shots 0."
        )
    plan_cells(
        load_tasks(params.task),
        params.shots,
        params.wordings,
        params.draws,
        params.limit,
        params.random_seed,
    )
    load_seeds(params.seeds)
    choose_teacher(params.model, settings)
    recipe = part_of(params, Recipe)
    resolve(recipe, read_hardware())
    student = get_student(params.student, settings, engine).path
    check_checkpoint(student)
    if recipe.template == "chat":
        find_template(recipe.template, load_tokenizer(student))
