"""What was pushed is what ``datasets.load_dataset`` of a stranger reads from the hub."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.pushing import PushParams, push_dataset
from flows.settings import Settings
from tests.publishing.hub_stand_in import TOKEN, serve_hub
from tests.publishing.hub_versions import make_version

_LOAD = """
import json, sys
import datasets
loaded = datasets.load_dataset("me/fruit", revision=sys.argv[1])
print(json.dumps({split: rows["instruction"][:] for split, rows in loaded.items()}))
"""


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_pushed_version_loads_by_name_and_tag_with_both_splits(tmp_path: Path) -> None:
    folder = make_version(tmp_path, 1, ["List three fruits.", "과일을 말해 줘.", "나무를 말해 줘."])
    with serve_hub() as hub:
        settings = Settings(outputs=tmp_path, hf_endpoint=hub.url, hf_token=SecretStr(TOKEN))
        push_dataset(PushParams("fruit", "me/fruit", yes=True), settings)

        # Another process: huggingface_hub reads its endpoint when it is imported.
        done = subprocess.run(
            [sys.executable, "-c", _LOAD, folder.name],
            capture_output=True,
            text=True,
            check=False,
            env={
                "HF_ENDPOINT": hub.url,
                "HF_TOKEN": TOKEN,
                "HF_HOME": str(tmp_path / "home"),
                "HF_HUB_DISABLE_TELEMETRY": "1",
            },
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "train": ["List three fruits.", "과일을 말해 줘."],
        "validation": ["나무를 말해 줘."],
    }
