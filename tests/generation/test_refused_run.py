"""A whole run whose teacher refuses leaves nothing broken behind."""

from pathlib import Path

import pytest

from pipeline.generation.teacher.endings import TeacherRefusedError
from tests.generation.scripted_run import generate, make_config
from tests.generation.scripted_server import Asked, Trick, serve


def test_wrong_key_ends_a_whole_run_and_leaves_an_empty_journal_that_works(tmp_path: Path) -> None:
    def refuse(_number: int, asked: Asked) -> Trick | None:
        return Trick(status=401, body="Incorrect API key") if asked.authorization else None

    with serve(refuse) as server:
        with pytest.raises(TeacherRefusedError, match="Incorrect API key"):
            generate(tmp_path / "j.sqlite", server.base_url, make_config())
        assert len(server.asked) <= 8
    with serve() as server:
        made = generate(tmp_path / "j.sqlite", server.base_url, make_config())
    assert made.result.stopped_because == "quotas-filled"
