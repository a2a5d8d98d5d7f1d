"""Find out what an endpoint can tell, before anything is asked that counts.

A trial of each way to have probabilities: a text is sent that should come back with them; then, as
at llama.cpp's server, a word is forced that no model would write, and has to be told as unlikely,
which shows that probabilities are those before the force and not after. What neither gives cannot
be had exactly, and is refused with what was asked and what came.
"""

from typing import NamedTuple

from pydantic import BaseModel, JsonValue

from schemas.errors import PacaloomError, UserError
from schemas.identity import short_id
from schemas.templates import INSTRUCTION
from training.evaluation.endpoint.echoing import EchoWay
from training.evaluation.endpoint.exchange import (
    EndpointRefusalError,
    Exchange,
    KeyRefusedError,
)
from training.evaluation.endpoint.forcing import ForcedWay, tokenize
from training.evaluation.endpoint.reference import EndpointReference
from training.evaluation.endpoint.replies import Properties, Texts, read_reply

Way = EchoWay | ForcedWay
"""How probabilities are had."""

_TRIAL = "The capital of France is"
_UNLIKELY = " zebra"
_LIKELIEST_UNLIKELY = -1.0
_TRIAL_RETRIES = 1
_FINGERPRINT_TOKENS = 16


class NoLogProbabilitiesError(UserError):
    """An endpoint that does not tell how likely an answer is."""


class Opened(NamedTuple):
    """What an endpoint is and can."""

    fingerprint: str
    way: Way | None
    """None where nobody needs probabilities."""
    at_once: int
    """Requests that it answers at once, as far as known."""


class _Listed(BaseModel):
    data: list[dict[str, JsonValue]]


async def open_way(exchange: Exchange, needs_log_probs: bool, concurrency: int) -> Opened:
    """Try an endpoint out.

    Raises:
        NoLogProbabilitiesError: It gives none.
        EndpointRefusalError: It has no such model, or refuses the key.
        EndpointError: It cannot be reached.
    """
    own_words = await _read_own_words(exchange)
    written = await _write_trial(exchange)
    way = await _find_way(exchange) if needs_log_probs else None
    if isinstance(way, ForcedWay):
        body = await exchange.get(f"{exchange.reference.root_url}/props")
        slots = read_reply(body, Properties, exchange.reference.root_url).total_slots
        # More than there are slots would push each other's beginnings out of the caches.
        concurrency = min(concurrency, max(slots, 1))
    name = short_id(exchange.reference.base_url, exchange.reference.model, own_words, written)
    return Opened(name, way, concurrency)


async def _read_own_words(exchange: Exchange) -> dict[str, JsonValue]:
    """Return what an endpoint says of the model, without what changes at each start.

    Raises:
        EndpointRefusalError: There is a list of models without this one.
    """
    try:
        # Nothing is lost yet: a server that is not there is told at once.
        body = await exchange.get("/models", _TRIAL_RETRIES)
    except KeyRefusedError:
        raise
    except EndpointRefusalError:
        return {}  # Not every server has a list.
    models = read_reply(body, _Listed, exchange.reference.base_url).data
    for model in models:
        aliases = model.get("aliases")
        if exchange.reference.model in [model.get("id"), *(_as_list(aliases))]:
            return {key: model[key] for key in model if key not in ("created", "permission")}
    names = ", ".join(repr(model.get("id")) for model in models[:8]) or "none"
    raise EndpointRefusalError(
        f"{exchange.reference.base_url} has no model {exchange.reference.model!r}, found {names}."
    )


def _as_list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


async def _write_trial(exchange: Exchange) -> str:
    """Return how the model goes on: other weights under the same name mostly show."""
    body: dict[str, JsonValue] = {
        "model": exchange.reference.model,
        "prompt": _TRIAL,
        "max_tokens": _FINGERPRINT_TOKENS,
        "temperature": 0.0,
    }
    try:
        reply = await exchange.post("/completions", body)
    except KeyRefusedError:
        raise
    except EndpointRefusalError as error:
        raise EndpointRefusalError(
            f"{error} Models are asked through /completions, because all of a comparison have to "
            "see the very same text. Serve it with `pacaloom serve`, llama.cpp or vLLM."
        ) from error
    return read_reply(reply, Texts, exchange.reference.base_url).choices[0].text


async def _find_way(exchange: Exchange) -> Way:
    found: list[str] = []
    for way in (EchoWay(max_tokens=0), EchoWay(max_tokens=1)):
        try:
            echoed = await way.ask(exchange, _TRIAL, INSTRUCTION, _TRIAL_RETRIES)
        except PacaloomError as error:
            found.append(str(error))
            continue
        # The first token has none; were others missing, it would be no echo.
        if len(echoed.tokens) > 1 and None not in echoed.token_logprobs[1:]:
            return way
        found.append(f"log-probabilities {echoed.token_logprobs[:4]}")
    try:
        return await _try_force(exchange)
    except PacaloomError as error:
        found.append(str(error))
    raise _describe(exchange.reference, found)


async def _try_force(exchange: Exchange) -> ForcedWay:
    way = ForcedWay()
    context = await tokenize(exchange, _TRIAL, begins=True, retries=_TRIAL_RETRIES)
    unlikely = await tokenize(exchange, _UNLIKELY, retries=_TRIAL_RETRIES)
    log_prob = await way.force(
        exchange, [token.id for token in context], unlikely, _UNLIKELY, _TRIAL_RETRIES
    )
    if log_prob > _LIKELIEST_UNLIKELY:
        raise EndpointRefusalError(
            f"{exchange.reference.base_url} calls a forced token likely ({log_prob:.2f} nats): it "
            "tells probabilities as they are after the force."
        )
    return way


def _describe(reference: EndpointReference, found: list[str]) -> NoLogProbabilitiesError:
    return NoLogProbabilitiesError(
        f"{reference.model} at {reference.base_url} gives no log-probabilities of answers, which "
        "tasks with given answers need. Asked /completions for an echo with logprobs, and as "
        f"llama.cpp for a forced answer; found: {found[0]} | {found[-1]} Serve it with "
        "`pacaloom serve`, llama.cpp or vLLM, or choose tasks with written answers."
    )
