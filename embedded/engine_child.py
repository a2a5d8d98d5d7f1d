"""The engine's process: ``python -m embedded.engine_child JSON``, run by embedded.engine only.

Standard output carries one line, the address, once the model answers; whatever llama.cpp prints
goes to standard error, which the parent has pointed at the log.
"""

import importlib
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from threading import Event
from typing import Any

from embedded.child import exit_with_parent
from embedded.engine import EngineCommand

_POLL_S = 0.05


def main(argument: str) -> None:
    """Serve until the parent is gone."""
    # The parent is interrupted too and stops this process in its own order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_with_parent()
    announce = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        server = _serve(EngineCommand.model_validate_json(argument))
    except RuntimeError as error:
        sys.exit(str(error))
    _await_health(server.listening_address)
    print(server.listening_address, file=announce, flush=True)
    Event().wait()


def _serve(command: EngineCommand) -> Any:  # noqa: ANN401  # the library carries no types
    # Idle OpenMP threads must sleep: spinning, they took the cores from everything else (0.9
    # against 30.7 tokens/s on a busy machine). libgomp reads this once, when it is loaded.
    os.putenv("OMP_WAIT_POLICY", "passive")
    xllamacpp: Any = importlib.import_module("xllamacpp")

    options = command.options
    params = xllamacpp.CommonParams()
    params.model.path = str(command.model_path)
    params.model_alias = {command.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = command.port
    params.n_parallel = options.parallel
    params.n_ctx = options.parallel * options.context_tokens  # a total, split over the slots
    for pool in (params.cpuparams, params.cpuparams_batch):
        pool.n_threads = options.threads
        pool.poll = 0
    params.ui = False
    params.fit_params = False  # would shrink the context in silence when memory is short
    params.cache_ram_mib = 0  # idle prompts would be kept in up to 8 GiB
    return xllamacpp.Server(params)


def _await_health(address: str) -> None:
    """Wait while the server answers 503; the parent bounds the time."""
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310  # loopback
                return
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
        time.sleep(_POLL_S)


if __name__ == "__main__":
    main(sys.argv[1])
