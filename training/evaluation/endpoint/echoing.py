"""Score answers at an endpoint that sends a prompt back with its log-probabilities.

vLLM, SGLang and others of OpenAI's former completions do: ``echo`` with ``logprobs`` tells how
likely each token of prompt and answer was, exactly. One request an answer. Which tokens are the
answer's is settled by the tokens' own texts where these add up to what was sent, and where they do
not (a Korean syllable may be three tokens of which none is a text), by the tokens of the prompt
alone, at one more request an item.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from pydantic import JsonValue

from schemas.templates import Template
from training.evaluation.endpoint.exchange import RETRIES, EndpointRefusalError, Exchange
from training.evaluation.endpoint.replies import Echoed, EchoedLogprobs, add_up, read_reply


class EchoWay(NamedTuple):
    """Asks for prompts back."""

    max_tokens: int
    """0; 1 for a server that writes at least one, which is left out again."""

    async def encode(self, exchange: Exchange, prompt: str, template: Template) -> JsonValue:
        """Return a prompt as it is sent."""
        return prompt

    async def score(
        self, exchange: Exchange, prompt: str, answers: Sequence[str], template: Template
    ) -> list[float]:
        """Return the log-probability of each answer, in nats.

        Raises:
            EndpointRefusalError: The prompt's last token changes when the answer follows.
            EndpointError: The endpoint cannot be reached, or answers otherwise.
        """
        alone: list[str] = []
        scores: list[float] = []
        for answer in answers:
            echoed = await self.ask(exchange, prompt + answer, template)
            begin = _find_border(echoed.tokens, prompt, answer)
            if begin is None:
                alone = alone or (await self.ask(exchange, prompt, template)).tokens
                if echoed.tokens[: len(alone)] != alone:
                    raise EndpointRefusalError(
                        f"{_where(exchange)} reads the end of the prompt and the beginning of "
                        f"{answer!r} as one token, so the answer has no probability of its own. "
                        "Ask in another wording, or score the model's folder."
                    )
                begin = len(alone)
            scores.append(add_up(echoed.token_logprobs[begin:], answer, _where(exchange)))
        return scores

    async def ask(
        self, exchange: Exchange, text: str, template: Template, retries: int = RETRIES
    ) -> EchoedLogprobs:
        """Send a text and return its own tokens, without what was written behind them."""
        body: dict[str, JsonValue] = {
            "model": exchange.reference.model,
            "prompt": text,
            "max_tokens": self.max_tokens,
            "echo": True,
            "logprobs": 1,
            "temperature": 1.0,
            **start_field(template),
        }
        reply = await exchange.post("/completions", body, retries)
        read = read_reply(reply, Echoed, _where(exchange))
        logprobs, written = read.choices[0].logprobs, read.usage.completion_tokens
        end = len(logprobs.tokens) - written
        if not end == len(logprobs.token_logprobs) - written == read.usage.prompt_tokens:
            raise EndpointRefusalError(
                f"{_where(exchange)} gives {len(logprobs.token_logprobs)} log-probabilities for "
                f"{read.usage.prompt_tokens} tokens of the prompt and {written} behind it."
            )
        return EchoedLogprobs(
            tokens=logprobs.tokens[:end], token_logprobs=logprobs.token_logprobs[:end]
        )


def start_field(template: Template) -> dict[str, JsonValue]:
    """Leave out the token at a text's start where the template has none, as vLLM is told to."""
    is_without = template.name == "chat" and not template.start
    return {"add_special_tokens": False} if is_without else {}


def _find_border(tokens: list[str], prompt: str, answer: str) -> int | None:
    """Count the tokens before the answer; None where the texts of the tokens do not tell."""
    joined = "".join(tokens)
    if not joined.endswith(prompt + answer):
        return None
    border = len(joined) - len(answer)
    ends = list(accumulate(map(len, tokens)))
    # The first of several that end there would leave tokens without a text to the answer.
    return ends.index(border) + 1 if ends.count(border) == 1 else None


def _where(exchange: Exchange) -> str:
    return f"{exchange.reference.model} at {exchange.reference.base_url}"
