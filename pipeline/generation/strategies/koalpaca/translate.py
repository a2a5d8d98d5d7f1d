"""KoAlpaca v1.0: tasks are translated, their outputs are written anew in the target language.

The procedure is the original's (github.com/Beomi/KoAlpaca, v1.0): instruction and input are
translated, and the outputs are asked for in Korean, ten a request. Its README leaves the source
outputs out because text-davinci-003 wrote them; here they are neither translated nor shown because
what is right of an English text (its length, its labels, its wording) is not always right of a
Korean one. The original translates with DeepL, here the teacher does it. Ours are the way
from Korean to English, seed tasks as the source, and that broken translations are marked: words
left as they were, words in a sense that they do not have there, an input that got lost, and an
output equal to its input. Tasks whose translation is broken are not asked further.

Two requests a conversation; each source task is asked for once a run and leads to one draft.
"""

from collections.abc import Sequence
from random import Random

from pipeline.generation.sampling import MAX_EXAMPLE_BYTES, Draw, Example
from pipeline.generation.strategies.koalpaca.translatable import is_translatable
from pipeline.generation.strategies.koalpaca.translation_prompts import (
    ANSWER_SCHEMA,
    TRANSLATION_SCHEMA,
    Task,
    ask_answers,
    ask_translation,
)
from pipeline.generation.strategies.koalpaca.translation_reading import (
    join_outputs,
    read_translations,
)
from pipeline.generation.strategies.reading.drafting import Pieces, clean, make_drafts
from pipeline.generation.strategies.strategy import Materials, Strategy, Waves
from schemas.exchange import Decoding, Prompt
from schemas.records import Draft, InstructionRecord, Language, SeedTask

_TASKS_A_REQUEST = 10


class TranslationSampler:
    """Draws tasks of the other language in random order, each once a run."""

    def __init__(self, materials: Materials) -> None:
        self._language: Language = materials.language
        self._left = [seed for seed in materials.seeds if _suits(seed, materials.language)]

    def draw(self, rng: Random, decoding: Decoding) -> Draw | None:
        if not self._left:
            return None
        count = min(_TASKS_A_REQUEST, len(self._left))
        sources = [self._left.pop(rng.randrange(len(self._left))) for _ in range(count)]
        examples = tuple(
            Example(seed.instruction, seed.input, seed.output, seed.task_type, (seed.id,))
            for seed in sources
        )
        return Draw(self._language, "unspecified", examples, decoding, rng.getrandbits(31))

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        """Do nothing: a task is not tried twice, whatever became of it."""


def _suits(seed: SeedTask, language: Language) -> bool:
    size = len(f"{seed.instruction}{seed.input}".encode("utf-8", "replace"))
    return seed.language != language and size <= MAX_EXAMPLE_BYTES and is_translatable(seed)


def build(draw: Draw) -> Prompt:
    """Ask for the translation of the instructions and inputs."""
    tasks = [Task(source.instruction, source.input) for source in draw.examples]
    return Prompt(
        messages=ask_translation(tasks, draw.language),
        decoding=draw.decoding,
        strategy="koalpaca_translate",
        language=draw.language,
        task_type=draw.task_type,
        seed_ids=draw.seed_ids,
        response_schema=TRANSLATION_SCHEMA,
        sample_index=draw.sample_index,
    )


def follow(draw: Draw, waves: Waves) -> list[Prompt]:
    """Ask for the outputs of the tasks whose translation is sound."""
    if len(waves) > 1:
        return []
    sound = [
        each.task for each in read_translations(draw, waves[0][0].completion) if each.defect is None
    ]
    if not sound:
        return []
    return [
        waves[0][0].prompt.model_copy(
            update={
                "messages": ask_answers(sound, draw.language),
                "response_schema": ANSWER_SCHEMA,
            }
        )
    ]


def parse(draw: Draw, waves: Waves) -> list[Draft]:
    """Make one draft a source task, in the order of the draw."""
    translated = read_translations(draw, waves[0][0].completion)
    first = waves[0][0]
    pieces = [Pieces(*each.task, "", defect=each.defect) for each in translated]
    drafts = make_drafts(pieces, first.completion, first.prompt)
    if len(waves) > 1:
        answered = join_outputs(draw, translated, waves[1][0].completion)
        later = make_drafts(
            answered,
            waves[1][0].completion,
            waves[1][0].prompt,
            earlier_ids=(first.completion.id,),
        )
        drafts = [
            second if each.defect is None else draft
            for each, draft, second in zip(translated, drafts, later, strict=True)
        ]
    if all(each.defect == "unparseable" for each in translated):
        drafts[0] = drafts[0].model_copy(update={"output": clean(first.completion.text).strip()})
    return [_trace(draft, source) for draft, source in zip(drafts, draw.examples, strict=True)]


def _trace(draft: Draft, source: Example) -> Draft:
    origin = draft.provenance.model_copy(
        update={
            "seed_ids": source.seed_ids,
            "derived_from": source.seed_ids[0],
            "task_type": source.task_type,
        }
    )
    return draft.model_copy(update={"provenance": origin})


STRATEGY = Strategy(
    records_asked=_TASKS_A_REQUEST,
    # Less chance than elsewhere: what varies are the tasks, and a translation has to be right. Ten
    # tasks of 700 bytes are some 2,500 tokens of Korean, ten outputs of 150 words 3,000.
    decoding=Decoding(temperature=0.3, top_p=0.95, max_tokens=4096),
    make_sampler=TranslationSampler,
    build=build,
    parse=parse,
    follow=follow,
    # The second prompt is the longer one; it repeats at most the 4,096 tokens of the first answer.
    most_examples=6,
)
