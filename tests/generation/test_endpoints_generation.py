"""Whole runs over several endpoints: the records of one endpoint, and nothing paid for twice."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.engine import PlainEngine
from flows.parameters import GenerateParams
from flows.resources import ResourceError, choose_teacher, find_teacher_price
from flows.settings import Settings
from flows.steps.generation import generate_drafts
from flows.steps.teaching import BatchEndpointsError
from pipeline.curation.config import CurationConfig
from pipeline.generation.budget.prices import PriceMissingError
from pipeline.generation.config import Price
from tests.generation.scripted_server import Asked, ScriptedServer, Trick, serve

LENIENT = CurationConfig(stage=("schema", "duplicate"))


def configure(outputs: Path, *servers: ScriptedServer) -> Settings:
    addresses = " ".join(server.base_url for server in servers)
    return Settings.model_validate({"outputs": outputs, "endpoints": addresses, "base_url": None})


def generate(settings: Settings, **fields: object) -> bytes:
    """Return the drafts as they are written."""
    params = GenerateParams.model_validate(
        {"name": "toy", "model": "scripted", "quota": {"en": 30, "ko": 20}, **fields}
    )
    params = params.model_copy(update={"curation": LENIENT})
    return generate_drafts(params, settings, PlainEngine()).drafts.read_bytes()


def test_records_are_those_of_one_endpoint(tmp_path: Path) -> None:
    with serve() as only:
        single = Settings.model_validate({"outputs": tmp_path / "one", "base_url": only.base_url})
        alone = generate(single, concurrency=16)
    with serve() as one, serve() as two, serve() as three:
        together = generate(configure(tmp_path / "three", one, two, three), concurrency=16)

    assert together == alone
    asked = Counter([*one.questions, *two.questions, *three.questions])
    assert asked == Counter(only.questions)
    assert min(len(server.asked) for server in (one, two, three)) > 0


def test_failures_and_a_changed_list_pay_for_no_prompt_twice(tmp_path: Path) -> None:
    def dies_after_ten(number: int, _asked: Asked) -> Trick | None:
        return Trick(status=503, body="shutting down") if number > 10 else None

    with serve() as only:
        single = Settings.model_validate({"outputs": tmp_path / "one", "base_url": only.base_url})
        alone = generate(single)
    with ExitStack() as stack:
        first, dying, later = (
            stack.enter_context(serve(script)) for script in (_answer, dies_after_ten, _answer)
        )
        outputs = tmp_path / "three"
        partial = generate(configure(outputs, first, dying), max_requests=30)
        whole = generate(configure(outputs, later, first))

    # The cap left some of the last round unanswered.
    assert set(partial.splitlines()) < set(alone.splitlines())
    assert whole == alone
    paid = Counter([*first.questions, *dying.questions[:10], *later.questions])
    assert set(paid.values()) == {1}
    assert set(paid) == set(only.questions)


def test_finished_run_asks_no_endpoint_even_when_none_is_there(tmp_path: Path) -> None:
    with serve() as one, serve() as two:
        settings = configure(tmp_path, one, two)
        before = generate(settings)

    assert generate(settings) == before


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"endpoints": "http://a/v1", "base_url": "http://b/v1"},
            "Both OPENAI_BASE_URL and PACALOOM_ENDPOINTS are set",
        ),
        (
            {"endpoint_keys": "sk-1", "endpoints": None},
            "PACALOOM_ENDPOINT_KEYS is set and PACALOOM_ENDPOINTS is not",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    fields: dict[str, str | None], message: str
) -> None:
    settings = Settings.model_validate({"base_url": None, "api_key": None, **fields})

    with pytest.raises(ResourceError, match=message):
        choose_teacher("scripted", settings)


def test_openai_key_is_not_sent_to_listed_endpoints(tmp_path: Path) -> None:
    with serve() as one, serve() as two:
        settings = configure(tmp_path, one, two).model_copy(
            update={"api_key": Settings.model_validate({"api_key": "sk-openai-12345678"}).api_key}
        )
        generate(settings, quota={"en": 4})

    assert {asked.authorization for asked in [*one.asked, *two.asked]} == {"Bearer none"}


def test_batches_are_refused_over_several_endpoints(tmp_path: Path) -> None:
    with serve() as one, serve() as two, pytest.raises(BatchEndpointsError, match="names 2"):
        generate(configure(tmp_path, one, two), transport="batch")


def test_price_is_the_users_or_known_at_every_endpoint() -> None:
    settings = Settings.model_validate(
        {"endpoints": "https://api.openai.com/v1 http://10.0.0.1/v1", "base_url": None}
    )
    teacher = choose_teacher("gpt-4.1-mini", settings)
    own = Price(input=1, output=2)

    assert find_teacher_price(teacher, own=own) == own
    assert find_teacher_price(teacher, own=None) is None
    with pytest.raises(PriceMissingError, match=r"10\.0\.0\.1"):
        find_teacher_price(teacher, own=None, is_needed=True)


def _answer(_number: int, _asked: Asked) -> None:
    """Play no trick."""
