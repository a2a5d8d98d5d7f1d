"""Score answers at llama.cpp's server, which never sends a prompt back, by forcing each answer.

A grammar of token ids leaves nothing but the answer's own tokens to be written, and what the
server reports of each is its probability before that: the softmax over all logits. So the sum is
exact for any answer, however unlikely, at one request an answer. (A grammar of letters would be
met by any cut of the text into tokens, and a bias on tokens says nothing of their order.)

The server can neither force nor report a token that ends within a character, such as two of the
three bytes of a Hangul syllable in a vocabulary without it. Such a token is looked up among the
likeliest ones where it would stand, a longer list each time, at last all of the vocabulary.

Measured on SmolLM2: equal to the last digit to what the list of all 49,152 tokens says, and the
same whether a prompt was cached or not, alone or one of four at once. Prompt and answer are cut
into tokens by the server, by the rules of :mod:`training.tokens`: together where the prompt's
tokens stay the same, and control tokens from the template alone.

Cost: the prompt once an item, from its slot's cache for every further answer, and a step of writing
for each token of an answer. A token that is looked up costs a request of its own, with a list of
all 0.2 s.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from pydantic import JsonValue

from schemas.rendering import Piece
from schemas.templates import Template
from training.evaluation.endpoint.exchange import RETRIES, EndpointRefusalError, Exchange
from training.evaluation.endpoint.replies import (
    Forced,
    Token,
    Tokens,
    WrittenToken,
    add_up,
    read_reply,
)

_LIST_LENGTHS = (200, 5_000, 1_000_000)
"""Of likeliest tokens; the last is longer than any vocabulary, and the server gives all it has."""
_FULL_STOP = "."


class ForcedWay(NamedTuple):
    """Forces answers."""

    async def encode(self, exchange: Exchange, prompt: str, template: Template) -> JsonValue:
        """Return a prompt as it is sent: in tokens."""
        tokens = await _cut(exchange, template.lay_out_prompt(prompt), _begins(template))
        return [token.id for token in tokens]

    async def score(
        self, exchange: Exchange, prompt: str, answers: Sequence[str], template: Template
    ) -> list[float]:
        """Return the log-probability of each answer, in nats.

        Raises:
            EndpointRefusalError: A prompt is too long, or an answer could not be forced.
            EndpointError: The endpoint cannot be reached, or answers otherwise.
        """
        head, begins = template.lay_out_prompt(prompt), _begins(template)
        context = await _cut(exchange, head, begins)
        scores: list[float] = []
        # One after the other: the server gives a request the slot that holds its beginning.
        for answer in answers:
            tail = template.lay_out_completion(answer)
            whole = await _cut(exchange, [*head, *tail], begins)
            joined = whole[: len(context)] == context
            tokens = whole[len(context) :] if joined else await _cut(exchange, tail, begins=False)
            scores.append(
                await self.force(exchange, [token.id for token in context], tokens, answer)
            )
        return scores

    async def force(
        self,
        exchange: Exchange,
        context: Sequence[int],
        tokens: Sequence[Token],
        answer: str,
        retries: int = RETRIES,
    ) -> float:
        """Return the log-probability of tokens after others; ``answer`` is for messages."""
        before = list(context)
        log_probs: list[float | None] = []
        for is_text, group in groupby(tokens, key=lambda token: isinstance(token.piece, str)):
            ids = [token.id for token in group]
            if is_text:
                written = await _write(exchange, before, ids, 1, retries)
                log_probs += [token.logprob for token in written]
                before += ids
            else:
                for token in ids:
                    log_probs.append(await _look_up(exchange, before, token))
                    before.append(token)
        return add_up(log_probs, answer, _where(exchange))


async def _write(
    exchange: Exchange, context: list[int], ids: list[int], likeliest: int, retries: int = RETRIES
) -> list[WrittenToken]:
    """Have tokens written, each reported with so many that were the likeliest there."""
    body: dict[str, JsonValue] = {
        "model": exchange.reference.model,
        "prompt": list[JsonValue](context),
        "max_tokens": len(ids),
        "grammar": "root ::= " + " ".join(f"<[{token}]>" for token in ids),
        "logprobs": likeliest,
        "temperature": 1.0,
        "cache_prompt": True,
    }
    reply = await exchange.post("/completions", body, retries)
    written = read_reply(reply, Forced, _where(exchange)).choices[0].logprobs.content
    if [token.id for token in written] != ids:
        raise EndpointRefusalError(
            f"{_where(exchange)} was to write the tokens {ids} and wrote "
            f"{[token.id for token in written]}: its grammars do not force tokens. Update "
            "llama.cpp, or score the model's folder."
        )
    return written


async def _look_up(exchange: Exchange, context: list[int], wanted: int) -> float | None:
    """Find a token's log-probability among the likeliest ones, whatever is written there."""
    stop = await tokenize(exchange, _FULL_STOP)
    for length in _LIST_LENGTHS:
        written = await _write(exchange, context, [stop[-1].id], length)
        for token in written[0].top_logprobs:
            if token.id == wanted:
                return token.logprob
    return None


async def _cut(exchange: Exchange, pieces: Sequence[Piece], begins: bool) -> list[Token]:
    """Cut what a template rendered into tokens, with control tokens from its own pieces alone."""
    text = "".join(piece.text for piece in pieces)
    has_frame = any(piece.is_frame for piece in pieces)
    # A line break is part of no control token, so none comes about where texts meet.
    own = "\n".join(piece.text for piece in pieces if not piece.is_frame)
    if has_frame and await tokenize(exchange, own, controls=True) != await tokenize(exchange, own):
        return await _cut_apart(exchange, pieces, begins)
    return await tokenize(exchange, text, begins, controls=has_frame)


async def _cut_apart(exchange: Exchange, pieces: Sequence[Piece], begins: bool) -> list[Token]:
    """Cut piece by piece, since a record's text spells a control token."""
    tokens: list[Token] = []
    for piece in pieces:
        if piece.text:
            tokens += await tokenize(
                exchange, piece.text, begins and not tokens, controls=piece.is_frame
            )
    return tokens


async def tokenize(
    exchange: Exchange,
    text: str,
    begins: bool = False,
    controls: bool = False,
    retries: int = RETRIES,
) -> list[Token]:
    """Cut a text into the endpoint's tokens.

    Args:
        exchange: The endpoint.
        text: Any.
        begins: Puts before it what the model has at the start of a text, if anything.
        controls: Reads a control token's spelling as the token.
        retries: After the first request.
    """
    body: dict[str, JsonValue] = {
        "content": text,
        "add_special": begins,
        "parse_special": controls,
        "with_pieces": True,
    }
    reply = await exchange.post(f"{exchange.reference.root_url}/tokenize", body, retries)
    return read_reply(reply, Tokens, exchange.reference.root_url).tokens


def _begins(template: Template) -> bool:
    return template.name != "chat" or bool(template.start)


def _where(exchange: Exchange) -> str:
    return f"{exchange.reference.model} at {exchange.reference.base_url}"
