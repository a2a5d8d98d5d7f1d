"""Curator: an LLM over a list of prompts; ``--backend`` chooses who sends the requests."""

# Installed in an environment of its own, where pyright does not look.
# pyright: reportMissingImports=false

import sys

from bespokelabs import curator

from benchmarks.peers.workload import (
    KEY,
    MAX_TOKENS,
    SYSTEM,
    TEMPERATURE,
    Workload,
    ask_for,
    check_answered,
    report,
)

# A name whose tokenizer litellm ships: Curator's openai backend counts tokens before it asks.
_MODEL = {"openai": "gpt-4", "litellm": "openai/gpt-4"}
_NO_LIMIT = 1_000_000_000


def run(workload: Workload, backend: str) -> None:
    llm = curator.LLM(
        model_name=_MODEL[backend],
        system_prompt=SYSTEM,
        backend=backend,
        generation_params={"max_tokens": MAX_TOKENS, "temperature": TEMPERATURE},
        backend_params={
            "base_url": workload.base_url,
            "api_key": KEY,
            "max_concurrent_requests": workload.concurrency,
            "max_requests_per_minute": _NO_LIMIT,
            "max_tokens_per_minute": _NO_LIMIT,
        },
    )
    answered = llm([ask_for(number) for number in range(workload.requests)])
    check_answered(len(answered.dataset), workload)


if __name__ == "__main__":
    chosen = sys.argv.pop(1).removeprefix("--backend=")
    report(lambda workload: run(workload, chosen))
