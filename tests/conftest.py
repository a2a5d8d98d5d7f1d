"""What all tests share: no test of a law is about time, and the real model of slow tests.

The model is fetched and converted once, into the user's cache.
"""

from pathlib import Path

import pytest
from hypothesis import settings
from platformdirs import user_cache_path

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student

# By default an example that takes 0.2 s fails its test, as one does now and then on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    return fetch_model(find_model("smollm2-135m"), user_cache_path("pacaloom"))


@pytest.fixture(scope="session")
def smollm2_checkpoint(smollm2_gguf: Path) -> Path:
    return prepare_student(find_model("smollm2-135m"), smollm2_gguf, user_cache_path("pacaloom"))
