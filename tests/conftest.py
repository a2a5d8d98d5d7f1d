"""The real model that slow tests share, fetched and converted once into the user's cache."""

from pathlib import Path

import pytest
from platformdirs import user_cache_path

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    return fetch_model(find_model("smollm2-135m"), user_cache_path("pacaloom"))


@pytest.fixture(scope="session")
def smollm2_checkpoint(smollm2_gguf: Path) -> Path:
    return prepare_student(find_model("smollm2-135m"), smollm2_gguf, user_cache_path("pacaloom"))
