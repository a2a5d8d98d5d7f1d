import json
from pathlib import Path

from tests.cli.command import Finished, run_pacaloom, run_warm


def last_line(done: Finished) -> str:
    return done.stderr.splitlines()[-1]


def test_explain_shows_every_setting_with_its_origin_and_trains_nothing(tmp_path: Path) -> None:
    done = run_pacaloom("finetune", "--method", "full", "--explain", outputs=tmp_path)

    assert done.status == 0
    assert json.loads(done.stdout.splitlines()[-1])["learning_rate"] == "2e-05"
    assert "Stanford Alpaca" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_the_method_does_not_have_is_refused_by_name(tmp_path: Path) -> None:
    done = run_warm("finetune", "--method", "full", "--r", "8", "--explain", outputs=tmp_path)

    assert (done.status, done.stdout) == (2, "")
    assert "method full has no r" in last_line(done)
    assert "lora" in last_line(done)


def test_a_run_without_a_dataset_says_how_to_find_one(tmp_path: Path) -> None:
    done = run_warm("finetune", "--method", "lora", outputs=tmp_path)

    assert (done.status, done.stdout) == (2, "")
    assert "datasets list" in last_line(done)
