"""A student's own chat template as a training template.

A record is one user message, the instruction with its input after an empty line, and the answer.
The template is code that somebody else wrote, so nothing is taken from its source: a conversation
of sentinels shows what it writes around messages, and every record's text is held against what the
template itself makes of it. What ruins runs in silence is refused when the template is read:

- nothing ends an answer: the student never learns to stop (huggingface/transformers#34209);
- what ends it is no control token, or belongs to the next turn (huggingface/trl#5988);
- the prompt of inference is not the beginning of the training text (huggingface/trl#3522, #5213);
- a message's text is dropped, doubled or changed. White space at its ends is the exception, because
  Gemma's and Llama's templates strip it: it goes in training as it goes in inference.

A default system prompt, as Qwen and SmolLM have one, is part of the text.

Cost: the template's own rendering, about 20 µs a record with transformers' engine.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Literal, NamedTuple

from schemas.identity import short_id
from schemas.records import Language
from schemas.rendering import Piece, Rendered, Shot, TemplateError

Role = Literal["user", "assistant"]


class Message(NamedTuple):
    """A turn of a conversation."""

    role: Role
    content: str


Apply = Callable[[Sequence[Message], bool], str]
"""Writes a conversation; when true, up to where the assistant has to speak."""

_REMEDY = "Mend chat_template in its tokenizer_config.json, or choose template 'instruction'."
_TRIALS = (
    "{{ messages }} {% if %} <b>&amp;</b> [x] \\n",
    " 한글 문장, 이모지 👩\u200d👧, 나눈 자모 \u1112\u1161\u11ab ",
    "def f():\n    return 1\n\n\nf()\n",
)


class ChatTemplate(NamedTuple):
    """A chat template that passed the trial; made by :func:`read_chat_template`."""

    origin: str
    """Whose it is, for messages."""
    apply: Apply
    start: str
    """Text of the token that both template and tokenizer put before everything; left out of what is
    rendered, so that it is not put there twice."""
    stop: str
    """Text of the token that it puts behind an answer; left out as well."""
    head: tuple[Piece, ...]
    """What stands before the question: the template's own text, and turns from :meth:`after`."""
    tail: str
    """From the question to where the assistant has to speak."""
    joint: str
    """From there to the answer; mostly nothing."""
    gap: str
    """From the answer to the stop token; mostly nothing."""
    end: str
    """From the stop token to the end of a conversation."""
    hash: str
    """16 hex digits over all that it writes around a conversation of two turns."""
    earlier: tuple[Message, ...] = ()

    @property
    def name(self) -> Literal["chat"]:
        """As recipes call it."""
        return "chat"

    def render(
        self, instruction: str, input_text: str, output: str, language: Language
    ) -> Rendered:
        """Render prompt and completion of one record; the language is left to the template.

        Raises:
            TemplateError: The template changes the record's text.
        """
        question = join_input(instruction, input_text)
        whole = self._write(Message("user", question), Message("assistant", output), asks=False)
        for asked in _spellings(question):
            prompt = self._ask(asked)
            if not whole.startswith(prompt):
                continue
            for answer in _spellings(output):
                completion = self.joint + answer + self.gap
                if whole == prompt + completion + self.stop + self.end:
                    return Rendered(prompt, completion)
        raise _changed(self.origin, question, output)

    def render_prompt(self, instruction: str, input_text: str, language: Language) -> str:
        """Render the text that stands before the answer.

        Raises:
            TemplateError: The template changes the record's text.
        """
        question = join_input(instruction, input_text)
        prompt = self._write(Message("user", question), asks=True)
        if prompt not in [self._ask(asked) for asked in _spellings(question)]:
            raise _changed(self.origin, question)
        return prompt

    def render_completion(self, output: str, language: Language) -> str:
        """Render the answer with what the template writes around it.

        Raises:
            TemplateError: The template changes the answer.
        """
        return self.render(_sentinel(0), "", output, language).completion

    def after(self, shots: Sequence[Shot], language: Language) -> "ChatTemplate":
        """Return the template of a conversation that begins with worked examples.

        Raises:
            TemplateError: The template changes the text of an example.
        """
        sentinels = [_sentinel(number) for number in range(2 * len(shots) + 1)]
        frames = _cut(self._write(*_converse(sentinels), asks=True), sentinels)
        rendered = [self.render(*shot, language) for shot in shots]
        contents = [piece.text for one in rendered for piece in self._own(one)]
        head = [Piece(frames[0], is_frame=True)]
        for content, frame in zip(contents, frames[1:-1], strict=True):
            head += [Piece(content, is_frame=False), Piece(frame, is_frame=True)]
        return self._replace(head=tuple(head), earlier=_converse(contents))

    def lay_out_prompt(self, prompt: str) -> list[Piece]:
        """Part a prompt that this template rendered into its own text and the record's."""
        question = prompt.removeprefix(_text(self.head)).removesuffix(self.tail)
        return [*self.head, Piece(question, is_frame=False), Piece(self.tail, is_frame=True)]

    def lay_out_completion(self, completion: str) -> list[Piece]:
        """Do the same with a completion."""
        answer = completion.removeprefix(self.joint).removesuffix(self.gap)
        around = Piece(self.joint, is_frame=True), Piece(self.gap, is_frame=True)
        return [around[0], Piece(answer, is_frame=False), around[1]]

    def _own(self, rendered: Rendered) -> tuple[Piece, Piece]:
        """Take question and answer out of a rendered record."""
        question = self.lay_out_prompt(rendered.prompt)[-2]
        return question, self.lay_out_completion(rendered.completion)[1]

    def _ask(self, question: str) -> str:
        return _text(self.head) + question + self.tail

    def _write(self, *messages: Message, asks: bool) -> str:
        return self.apply([*self.earlier, *messages], asks).removeprefix(self.start)


def read_chat_template(
    apply: Apply, controls: Collection[str], start: str, origin: str
) -> ChatTemplate:
    """Try a chat template out, and learn what it writes around messages.

    Args:
        apply: Writes a conversation.
        controls: Spellings of the student's control tokens.
        start: The one that its tokenizer puts before a text; empty when there is none.
        origin: Whose template it is, for messages.

    Raises:
        TemplateError: It cannot be trained with; says why and what to do.
    """
    question, answer = _sentinel(0), _sentinel(1)
    asked = apply(_converse([question]), True)
    whole = apply(_converse([question, answer]), False)
    if asked.count(question) != 1 or whole.count(answer) != 1:
        raise TemplateError(
            f"The chat template of {origin} drops or doubles a message: {whole[:80]!r}. {_REMEDY}"
        )
    if not whole.startswith(asked):
        raise TemplateError(
            f"The chat template of {origin} asks with {_near(asked, whole)} and then writes "
            f"{_near(whole, asked)} in its place, so that training text and question would differ. "
            f"{_REMEDY}"
        )
    head, tail = asked.split(question)
    joint, after = whole[len(asked) :].split(answer)
    gap, stop = _find_stop(after, controls)
    if not stop:
        raise TemplateError(
            f"The chat template of {origin} writes {after[:20]!r} behind an answer, which is no "
            "control token of its tokenizer: the student could not learn to end an answer. Put "
            f"{{{{ eos_token }}}} there, or choose template 'instruction'."
        )
    start = start if start and head.startswith(start) else ""
    sentinels = [_sentinel(number) for number in range(3)]
    turns = _cut(apply(_converse(sentinels), True), sentinels)
    end = after[len(gap) + len(stop) :]
    template = ChatTemplate(
        origin=origin,
        apply=apply,
        start=start,
        stop=stop,
        head=(Piece(head.removeprefix(start), is_frame=True),),
        tail=tail,
        joint=joint,
        gap=gap,
        end=end,
        hash=short_id("chat", start, [head, tail, joint, gap, stop, end], turns),
    )
    for trial in _TRIALS:
        template.render(trial, trial, trial, "en")
    return template


def join_input(instruction: str, input_text: str) -> str:
    """Write instruction and input as one message."""
    return f"{instruction}\n\n{input_text}" if input_text else instruction


def _sentinel(number: int) -> str:
    # Letters only: no template takes them for a marker, strips them, or writes them itself.
    return f"Xqzturn{'abcdefghij'[number % 10] * (1 + number // 10)}zqx"


def _converse(contents: Sequence[str]) -> tuple[Message, ...]:
    roles: tuple[Role, Role] = ("user", "assistant")
    return tuple(Message(roles[number % 2], text) for number, text in enumerate(contents))


def _cut(text: str, sentinels: Sequence[str]) -> list[str]:
    """Return what stands around sentinels."""
    return re.split("|".join(sentinels), text)


def _find_stop(after: str, controls: Collection[str]) -> tuple[str, str]:
    """Find the longest control token behind an answer, and the white space before it."""
    rest = after.lstrip()
    stop = max((one for one in controls if one and rest.startswith(one)), key=len, default="")
    return after[: len(after) - len(rest)], stop


def _spellings(text: str) -> list[str]:
    """List a message as it is, and with its ends stripped as templates do it."""
    return [text, text.strip(), text.strip("\n"), text.lstrip("\n"), text.lstrip(), text.rstrip()]


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _near(text: str, other: str) -> str:
    """Show a text where it stops being the beginning of another."""
    pairs = enumerate(zip(text, other, strict=False))
    place = next((at for at, (one, two) in pairs if one != two), min(len(text), len(other)))
    return repr(text[place : place + 30])


def _changed(origin: str, *texts: str) -> TemplateError:
    shown = " and ".join(repr(text[:40]) for text in texts)
    return TemplateError(f"The chat template of {origin} changes the text of {shown}. {_REMEDY}")
