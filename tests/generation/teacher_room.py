"""What the tests of the client share: a prompt, and scripts for the endpoint."""

import json
from collections.abc import Iterable

from schemas.exchange import Decoding, Message, Prompt
from tests.generation.scripted_server import Asked, Script, Trick

MODEL = "scripted"
KEY = "sk-test-3f9a7c1e5b2d8064"


def make_prompt(
    number: int = 0, *, with_schema: bool = False, stop: tuple[str, ...] = ()
) -> Prompt:
    """Make a chat prompt that no other number makes."""
    return Prompt(
        messages=(Message(role="user", content=f"Question {number}"),),
        decoding=Decoding(max_tokens=50, temperature=0.5, top_p=0.9, stop=stop),
        strategy="structured",
        language="en",
        response_schema={"type": "object"} if with_schema else None,
        sample_index=number,
    )


def make_raw_prompt(text: str = "<|user|>\n") -> Prompt:
    """Make a prompt that is to be continued as it stands."""
    return Prompt(raw=text, decoding=Decoding(max_tokens=50), strategy="magpie", language="ko")


def in_turn(tricks: Iterable[Trick | None]) -> Script:
    """Play one trick a request, then answer."""
    played = list(tricks)

    def play(number: int, _asked: Asked) -> Trick | None:
        return played[number - 1] if number <= len(played) else None

    return play


def refuse(message: str, *, status: int = 400, **error: str | None) -> Trick:
    """Refuse in OpenAI's form."""
    return Trick(status=status, body=json.dumps({"error": {"message": message, **error}}))
