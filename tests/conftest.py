"""What all tests share: no test of a law is about time, and the real model of slow tests.

The model is fetched and converted once, into the user's cache.
"""

import gc
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from platformdirs import user_cache_path

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student
from pipeline.publishing.statistics import korean

# Several test processes share the cores: torch's threads in each of them would wait for each other,
# and tests of evaluation took four times their CPU time. It is read when torch is loaded.
os.environ["OMP_NUM_THREADS"] = "1"  # noqa: TID251 - also for processes that tests start

# By default an example that takes 0.2 s fails its test, as one does now and then on a busy machine.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in each run, so that one fails where the code has changed and nowhere else.
# Others are looked for with --hypothesis-profile=untimed.
settings.register_profile("repeated", settings.get_profile("untimed"), derandomize=True)
settings.load_profile("repeated")


@pytest.fixture(scope="module", autouse=True)
def known_objects_left_alone() -> None:
    """Spare what earlier modules loaded: with torch there, each look for garbage took 0.4 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def one_tagger() -> Iterator[None]:
    """Keep the Korean tagger: each version that is published would load its own, in 0.8 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(korean, "Kiwi", cache(korean.Kiwi))
        yield


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    return fetch_model(find_model("smollm2-135m"), user_cache_path("pacaloom"))


@pytest.fixture(scope="session")
def smollm2_checkpoint(smollm2_gguf: Path) -> Path:
    return prepare_student(find_model("smollm2-135m"), smollm2_gguf, user_cache_path("pacaloom"))
