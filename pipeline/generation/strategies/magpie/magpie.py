"""Magpie: an aligned model that is shown the opening of a user's turn writes the user's words.

After arXiv:2406.08464: the chat template up to the user turn is the whole prompt, and
what the model writes until the end of the turn is the instruction; then it is asked that, as in any
chat. No seed task and no example is shown. A system message steers the language, as the paper
steers the subject with one. Every prompt of a language is the same text, told apart by
``sample_index``, the request's random seed: at temperature 0 a run has one record.

Needs an endpoint with ``/v1/completions`` that takes a template's marks for what they are.
"""

import re
from collections.abc import Sequence
from random import Random

from pipeline.generation.sampling import Draw
from pipeline.generation.strategies.magpie.chat_templates import cut_at_mark, template_for
from pipeline.generation.strategies.reading.drafting import Pieces, clean, make_drafts
from pipeline.generation.strategies.reading.plain_answer import ask_for_answer
from pipeline.generation.strategies.strategy import Materials, Strategy, Waves
from schemas.exchange import Completion, Decoding, Prompt
from schemas.records import Draft, InstructionRecord, Language

_SYSTEM: dict[Language, str] = {
    "en": "You are a helpful assistant for all sorts of everyday and expert questions. The user "
    "writes in English and asks for one thing at a time, with everything that is needed to answer.",
    "ko": "당신은 일상적인 궁금증부터 전문적인 문제까지 두루 돕는 한국어 AI 도우미입니다. "
    "사용자는 한국어로, 한 번에 한 가지를, 답하는 데 필요한 내용까지 모두 적어서 묻습니다.",
}

# Curation turns instructions of more than 150 words away, about 200 tokens; code takes more.
_MOST_TOKENS = 512
# A small model may write the name of the next turn without its marks, and go on to answer itself.
_NEXT_TURN = re.compile(r"\n[ \t]*+[Aa]ssistant(?:\s*:|\s*\n|(?=[A-Z가-힣]))")


class MagpieSampler:
    """Draws nothing but another random seed."""

    def __init__(self, materials: Materials) -> None:
        """Look the teacher's template up.

        Raises:
            UnknownTemplateError: The teacher's name tells no family.
        """
        template_for(materials.teacher)
        self._teacher = materials.teacher
        self._language: Language = materials.language

    def draw(self, rng: Random, decoding: Decoding) -> Draw:
        return Draw(
            self._language,
            "unspecified",
            (),
            decoding,
            rng.getrandbits(31),
            teacher=self._teacher,
        )

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        """Do nothing: no prompt depends on what came before."""


def build(draw: Draw) -> Prompt:
    """Open the user's turn and leave it to the teacher."""
    template = template_for(draw.teacher)
    most_tokens = min(draw.decoding.max_tokens, _MOST_TOKENS)
    return Prompt(
        raw=template.head + _SYSTEM[draw.language] + template.user,
        decoding=draw.decoding.model_copy(
            update={"stop": template.stop, "max_tokens": most_tokens}
        ),
        strategy="magpie",
        language=draw.language,
        sample_index=draw.sample_index,
    )


def follow(draw: Draw, waves: Waves) -> list[Prompt]:
    """Ask what the teacher wrote, if it wrote a whole turn."""
    if len(waves) > 1:
        return []
    completion = waves[0][0].completion
    instruction = _read_instruction(completion)
    if not instruction or completion.finish_reason == "length":
        return []
    return [ask_for_answer(draw, "magpie", instruction)]


def parse(_draw: Draw, waves: Waves) -> list[Draft]:
    """Join the instruction of the first wave with the answer of the second."""
    first = waves[0][0]
    instruction = _read_instruction(first.completion)
    if len(waves) < 2:
        pieces = [Pieces(instruction, "", "", is_cut=True)] if instruction else []
        return make_drafts(pieces, first.completion, first.prompt)
    prompt, answer = waves[1][0]
    pieces = Pieces(instruction, "", answer.text, is_cut=answer.finish_reason == "length")
    [draft] = make_drafts([pieces], answer, prompt)
    earlier = {"earlier_completion_ids": (first.completion.id,)}
    return [draft.model_copy(update={"provenance": draft.provenance.model_copy(update=earlier)})]


def _read_instruction(completion: Completion) -> str:
    turn = cut_at_mark(completion.text)
    return clean(_NEXT_TURN.split(turn, maxsplit=1)[0]).strip()


STRATEGY = Strategy(
    records_asked=1,
    decoding=Decoding(temperature=1.0, top_p=0.95, max_tokens=700),
    make_sampler=MagpieSampler,
    build=build,
    parse=parse,
    follow=follow,
)
