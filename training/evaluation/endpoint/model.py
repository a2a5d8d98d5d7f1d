"""A model behind an endpoint, asked as one that is loaded here.

Students with a chat template are asked with the rendered prompt through ``/completions``, never
through chat, so that every model of a comparison sees the very same text.

Cost: one request an answer scored and one a text written, ``concurrency`` at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pydantic import JsonValue

from schemas.progress import Progress, no_progress
from schemas.templates import Template
from training.evaluation.answerers import Written
from training.evaluation.endpoint.echoing import start_field
from training.evaluation.endpoint.exchange import Exchange
from training.evaluation.endpoint.opening import NoLogProbabilitiesError, Opened, open_way
from training.evaluation.endpoint.reference import EndpointReference, read_reference
from training.evaluation.endpoint.replies import Texts, read_reply

Result = TypeVar("Result")


class EndpointModel:
    """Answers through an endpoint; made by :func:`open_endpoint`."""

    def __init__(self, reference: EndpointReference, api_key: str, opened: Opened) -> None:
        """Take what was found out about it."""
        self.reference = reference
        self._api_key = api_key
        self._opened = opened

    @property
    def fingerprint(self) -> str:
        """Of address, name, what the endpoint says of the model, and how it goes on in a text."""
        return self._opened.fingerprint

    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[Sequence[str]],
        template: Template,
        progress: Progress = no_progress,
    ) -> list[list[float]]:
        """Return the log-probability (nats) of each answer after its prompt.

        Raises:
            NoLogProbabilitiesError: It was opened without.
            EndpointRefusalError: A prompt is too long, or a probability cannot be had exactly.
            EndpointError: The endpoint fails beyond all retries.
        """
        way = self._opened.way
        if way is None:
            raise NoLogProbabilitiesError(
                f"{self.reference.model} at {self.reference.base_url} was not asked for "
                "log-probabilities when it was opened."
            )

        async def ask(exchange: Exchange, number: int) -> list[float]:
            return await way.score(exchange, prompts[number], answers[number], template)

        return self._run(ask, len(prompts), progress)

    def write(
        self,
        prompts: Sequence[str],
        limit_tokens: int,
        template: Template,
        progress: Progress = no_progress,
    ) -> list[Written]:
        """Write greedily after each prompt, to at most so many tokens.

        Raises:
            EndpointRefusalError: A prompt is too long.
            EndpointError: The endpoint fails beyond all retries.
        """

        async def ask(exchange: Exchange, number: int) -> Written:
            return await self._write(exchange, prompts[number], limit_tokens, template)

        return self._run(ask, len(prompts), progress)

    async def _write(
        self, exchange: Exchange, prompt: str, limit_tokens: int, template: Template
    ) -> Written:
        way = self._opened.way
        body: dict[str, JsonValue] = {
            "model": self.reference.model,
            "prompt": await way.encode(exchange, prompt, template) if way else prompt,
            "max_tokens": limit_tokens,
            "temperature": 0.0,
            **start_field(template),
        }
        if template.stop:
            body["stop"] = [template.stop]
        reply = await exchange.post("/completions", body)
        choice = read_reply(reply, Texts, self.reference.base_url).choices[0]
        return Written(choice.text.strip(), choice.finish_reason == "stop")

    def _run(
        self,
        ask: Callable[[Exchange, int], Awaitable[Result]],
        total: int,
        progress: Progress,
    ) -> list[Result]:
        return asyncio.run(self._ask_all(ask, total, progress))

    async def _ask_all(
        self,
        ask: Callable[[Exchange, int], Awaitable[Result]],
        total: int,
        progress: Progress,
    ) -> list[Result]:
        """Ask with as many workers as the endpoint answers at once; the first failure ends all."""
        results: dict[int, Result] = {}
        waiting = iter(range(total))

        async def work(exchange: Exchange) -> None:
            for number in waiting:
                results[number] = await ask(exchange, number)
                progress(len(results), total)

        async with Exchange(self.reference, self._api_key) as exchange:
            workers = [asyncio.create_task(work(exchange)) for _ in range(self._opened.at_once)]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        return [results[number] for number in range(total)]


def open_endpoint(
    reference: str, api_key: str, needs_log_probs: bool, concurrency: int = 8
) -> EndpointModel:
    """Try an endpoint out and return its model.

    Args:
        reference: ``URL#MODEL``.
        api_key: Empty for servers that want none; kept in memory only.
        needs_log_probs: Whether :meth:`EndpointModel.score` will be called.
        concurrency: Requests at once, at most; a llama.cpp server gets no more than it has slots.

    Raises:
        EndpointReferenceError: The reference is none.
        NoLogProbabilitiesError: They are needed and not to be had.
        EndpointRefusalError: There is no such model, or the key is refused.
        EndpointError: The endpoint cannot be reached.
    """
    read = read_reference(reference)

    async def open_it() -> Opened:
        async with Exchange(read, api_key) as exchange:
            return await open_way(exchange, needs_log_probs, concurrency)

    return EndpointModel(read, api_key, asyncio.run(open_it()))
