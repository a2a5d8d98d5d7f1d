"""distilabel: a pipeline of two steps, rows in and TextGeneration; a batch is what runs at once."""

# Installed in an environment of its own, where pyright does not look.
# pyright: reportMissingImports=false

import tempfile

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

from benchmarks.peers.workload import (
    KEY,
    MAX_TOKENS,
    MODEL,
    SYSTEM,
    TEMPERATURE,
    Workload,
    ask_for,
    check_answered,
    report,
)


def run(workload: Workload) -> None:
    rows = [{"instruction": ask_for(number)} for number in range(workload.requests)]
    with tempfile.TemporaryDirectory() as folder, Pipeline(cache_dir=folder) as pipeline:
        load = LoadDataFromDicts(data=rows, batch_size=workload.concurrency)
        generate = TextGeneration(
            llm=OpenAILLM(
                base_url=workload.base_url,
                api_key=KEY,
                model=MODEL,
                generation_kwargs={"max_new_tokens": MAX_TOKENS, "temperature": TEMPERATURE},
            ),
            system_prompt=SYSTEM,
            input_batch_size=workload.concurrency,
        )
        load.connect(generate)
        distiset = pipeline.run(use_cache=False)
        check_answered(len(distiset["default"]["train"]), workload)


if __name__ == "__main__":
    report(run)
