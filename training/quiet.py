"""Keep third-party chatter off the terminal and leave real warnings on it.

Bars and advice are switched off where a library has a switch for them, and given back afterwards.
Python warnings are filtered message by message, each with its reason.
"""

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager

# bitsandbytes says on CPUs with AVX512_BF16 that it lacks the `kernels` package, which would fetch
# a faster kernel from the hub; quantization_guard.py tells why that path is never taken here.
_NOISY_LOGGERS = ("bitsandbytes.backends.cpu.ops",)
_HARMLESS_WARNINGS = (
    # peft 0.21.2 asks under the old name; nothing that a user could change.
    "`is_gradient_checkpointing` is deprecated",
)


@contextmanager
def quiet_libraries() -> Generator[None]:
    """Silence bars and advice of transformers and bitsandbytes inside the block."""
    from transformers.utils import logging as transformers_logging

    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    levels = {name: logging.getLogger(name).level for name in _NOISY_LOGGERS}
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    for name in _NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _HARMLESS_WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
