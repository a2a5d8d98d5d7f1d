"""NeMo DataDesigner: one text column written by a model, from a column of given numbers."""

# Installed in an environment of its own, where pyright does not look.
# pyright: reportMissingImports=false

import tempfile
from pathlib import Path

import data_designer.config as dd
import pandas as pd
from data_designer.interface import DataDesigner

from benchmarks.peers.workload import (
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
    model = dd.ModelConfig(
        alias="teacher",
        model=MODEL,
        provider="local",
        skip_health_check=True,
        inference_parameters=dd.ChatCompletionInferenceParams(
            temperature=TEMPERATURE,
            max_tokens=MAX_TOKENS,
            max_parallel_requests=workload.concurrency,
        ),
    )
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    asked = pd.DataFrame({"ask": [ask_for(number) for number in range(workload.requests)]})
    builder.with_seed_dataset(dd.DataFrameSeedSource(df=asked))
    builder.add_column(
        dd.LLMTextColumnConfig(
            name="answer", prompt="{{ ask }}", system_prompt=SYSTEM, model_alias="teacher"
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        designer = DataDesigner(
            artifact_path=Path(folder),
            model_providers=[
                dd.ModelProvider(name="local", endpoint=workload.base_url, api_key="sk-local")
            ],
        )
        result = designer.create(builder, num_records=workload.requests)
        check_answered(len(result.load_dataset()), workload)


if __name__ == "__main__":
    report(run)
