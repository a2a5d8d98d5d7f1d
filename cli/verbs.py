"""The verbs that run a flow: parse, run it plainly or through Prefect, show, print one JSON line.

Each verb's modules are imported when it is used, so that ``./pacaloom --help`` answers at once.
"""

import importlib
import logging
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel

from cli.arguments import make_params, parse
from flows.settings import enter_prefect_environment, read_settings
from schemas.frozen import Frozen


class FlowVerb(NamedTuple):
    """A verb and the flow it runs."""

    summary: str
    """One line for the list of verbs."""
    stem: str
    """Class name stem: ``Generate`` for ``GenerateParams`` and ``GenerateOutcome``."""
    composition: str
    """Function in ``flows.compositions``."""
    flow: str
    """Module in ``flows`` and function in it: the Prefect flow."""
    examples: str
    asks: str = ""
    """Class name of the parameters on the command line, where they are more than the flow's."""
    answers: str = ""
    """Module in ``cli`` whose ``answer`` tells what these ask for instead of a run."""


FLOW_VERBS: dict[str, FlowVerb] = {
    "generate": FlowVerb(
        "have a teacher write drafts from seed tasks",
        "Generate",
        "generate",
        "generate",
        """examples:
  pacaloom generate --name first --quota en=20 --quota ko=20
  OPENAI_API_KEY=… pacaloom generate --name big --model gpt-4.1-mini --quota ko=700 --concurrency 64
  OPENAI_BASE_URL=http://127.0.0.1:8000/v1 pacaloom generate --model my-model --quota en=100""",
    ),
    "curate": FlowVerb(
        "sort drafts into kept records and rejections, publish a dataset version",
        "Curate",
        "curate",
        "curate",
        """examples:
  pacaloom curate --name first
  pacaloom curate --name mine --input records.jsonl --seeds none
  pacaloom curate --name strict --stage novelty --novelty.threshold 0.6
  pacaloom curate --name mine --input new.jsonl --against mine
  pacaloom curate --name first --what-if novelty.threshold=0.8 --what-if rules.profile=strict
  pacaloom curate --name first --sweep novelty.threshold=0.5,0.6,0.7,0.8""",
        asks="ExploreParams",
        answers="exploring",
    ),
    "finetune": FlowVerb(
        "tune a student on a dataset version: full, LoRA or QLoRA",
        "Finetune",
        "finetune",
        "finetune",
        """examples:
  pacaloom finetune --dataset first --method qlora
  pacaloom finetune --dataset outputs/datasets/first/0001-0123456789ab --method full --max-steps 20
  pacaloom finetune --dataset first --student Qwen/Qwen3-0.6B --method lora --r 32 --alpha 64
  pacaloom finetune --method lora --explain""",
        asks="AskFinetuneParams",
        answers="finetune_questions",
    ),
    "evaluate": FlowVerb(
        "compare models under zero-, one- and few-shot prompts, and judge",
        "Evaluate",
        "evaluate",
        "evaluate_model",
        """examples:
  pacaloom evaluate --model first
  pacaloom evaluate --model first --shots 0 --shots 8 --limit 100
  pacaloom evaluate --model smollm2-135m --baseline gemma-3-270m --task my-task.jsonl""",
    ),
    "retrain": FlowVerb(
        "all of the above in one run, from seed tasks to a verdict",
        "Retrain",
        "retrain",
        "retrain",
        """examples:
  pacaloom retrain --name first --quota en=40 --quota ko=40 --method qlora
  pacaloom retrain --config demo.yaml --student smollm2-135m --prefect""",
    ),
    "maintenance": FlowVerb(
        "give back the space of old versions, given-up trainings and journals",
        "Maintenance",
        "maintain",
        "maintenance",
        """examples:
  pacaloom maintenance                        (tells what would go; touches nothing)
  pacaloom maintenance --apply
  pacaloom maintenance --keep-versions 10 --stale-days 30 --no-compact""",
    ),
}


def params_model(verb: FlowVerb) -> type[Frozen]:
    """Return the model of what the verb takes on the command line."""
    return _params_class(verb.asks or f"{verb.stem}Params")


def _params_class(name: str) -> type[Frozen]:
    return getattr(importlib.import_module("flows.parameters"), name)


def run_flow_verb(name: str, arguments: Sequence[str]) -> int:
    """Run a verb's flow and report; the last line on standard output is its JSON object."""
    verb = FLOW_VERBS[name]
    model = params_model(verb)
    parsed = parse(name, model, verb.examples, arguments)
    params = make_params(model, parsed)
    settings = read_settings()
    if verb.asks:
        status = importlib.import_module(f"cli.{verb.answers}").answer(params, settings, parsed)
        if status is not None:
            return status
        from flows.parameters import part_of

        params = part_of(params, _params_class(f"{verb.stem}Params"))
    outcomes = importlib.import_module("flows.outcomes")
    outcome_model: type[BaseModel] = getattr(outcomes, f"{verb.stem}Outcome")
    if parsed.prefect or settings.prefect_api_url:
        if settings.prefect_api_url:
            from flows.services.server_state import require_server

            # Prefect would try for a minute, and end in a traceback.
            require_server(settings.prefect_api_url)
        enter_prefect_environment(settings)
        flow = getattr(importlib.import_module(f"flows.{verb.flow}"), verb.flow)
        try:
            outcome = outcome_model.model_validate(flow(params))
        finally:
            # Its temporary server takes leave at exit, behind what people should read last.
            logging.getLogger("prefect").setLevel(logging.WARNING)
    else:
        from flows.engine import PlainEngine
        from flows.running import run_composition

        compose = getattr(importlib.import_module("flows.compositions"), verb.composition)
        outcome = run_composition(name, compose, params, settings, PlainEngine())
    from cli.summary import print_summary

    print_summary(outcome)
    print(outcome.model_dump_json())
    return 0
