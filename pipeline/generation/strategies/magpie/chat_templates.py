"""Chat templates by model family, up to the point where the user's own words begin.

Text for ``/completions``, whose server puts the token of the text's beginning before it; the marks
are special tokens, which it reads as such. Gemma and Mistral have no turn for a system message:
its text opens the user's turn, as their own templates do it.
"""

import re
from typing import NamedTuple

from schemas.errors import UserError


class UnknownTemplateError(UserError):
    """Nothing is known of how a model's chats look."""


class ChatTemplate(NamedTuple):
    """How a family writes a chat."""

    head: str
    """Stands before the system message."""
    user: str
    """Stands between the system message and the user's words."""
    stop: tuple[str, ...]
    """End the user's words. No more than four, the most that OpenAI's protocol allows."""


_FAMILIES: dict[str, ChatTemplate] = {
    "chatml": ChatTemplate(
        "<|im_start|>system\n",
        "<|im_end|>\n<|im_start|>user\n",
        ("<|im_end|>", "<|im_start|>", "<|endoftext|>"),
    ),
    "llama3": ChatTemplate(
        "<|start_header_id|>system<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
        ("<|eot_id|>", "<|start_header_id|>", "<|end_of_text|>"),
    ),
    "gemma": ChatTemplate(
        "<start_of_turn>user\n", "\n\n", ("<end_of_turn>", "<start_of_turn>", "<eos>")
    ),
    "mistral": ChatTemplate("[INST] ", "\n\n", ("[/INST]", "[INST]", "</s>")),
    "phi": ChatTemplate(
        "<|system|>\n", "<|end|>\n<|user|>\n", ("<|end|>", "<|assistant|>", "<|endoftext|>")
    ),
    "exaone": ChatTemplate(
        "[|system|]", "[|endofturn|]\n[|user|]", ("[|endofturn|]", "[|assistant|]", "\n[|user|]")
    ),
}

# The first that is found in the name decides, so "llama-3-qwen-merge" is not for us to settle.
_NAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), family)
    for pattern, family in (
        (r"chatml|qwen|qwq|smollm|hermes|internlm|\byi-|hyperclova|a\.x-", "chatml"),
        (r"llama[-_ ]?3|kanana", "llama3"),
        (r"gemma", "gemma"),
        (r"mistral|mixtral|ministral", "mistral"),
        (r"phi-?3", "phi"),
        (r"exaone", "exaone"),
    )
)
_ANY_MARK = re.compile(
    "|".join(sorted({re.escape(stop) for family in _FAMILIES.values() for stop in family.stop}))
)


def template_for(model: str) -> ChatTemplate:
    """Find the template by the model's name.

    Raises:
        UnknownTemplateError: The name tells no family.
    """
    for pattern, family in _NAMES:
        if pattern.search(model):
            return _FAMILIES[family]
    raise UnknownTemplateError(
        f"The strategy magpie needs to know how a chat with the teacher {model!r} is written, and "
        f"its name tells none of the known families: {', '.join(_FAMILIES)}. Serve the model under "
        "a name that holds its family, or take magpie out of the mix."
    )


def cut_at_mark(text: str) -> str:
    """Keep what stands before the first mark of any family."""
    return _ANY_MARK.split(text, maxsplit=1)[0]
