"""Ask for the answer to a task that a teacher wrote in the wave before, as a person would ask."""

from pipeline.generation.sampling import Draw
from schemas.exchange import Message, Prompt
from schemas.records import Language

# Chat templates such as Qwen's put "You are Qwen, created by Alibaba Cloud" where no system message
# stands, and the answers then speak of it.
_SYSTEM: dict[Language, str] = {
    "en": "You are a helpful assistant. Do what is asked, correctly and completely, in English "
    "unless another language is asked for. Give the answer itself, without remarks about the task.",
    "ko": "당신은 친절하고 정확한 AI 도우미입니다. 부탁받은 일을 빠짐없이 해냅니다. 다른 언어로 "
    "써 달라는 말이 없으면 한국어로 답하며, 군말 없이 답만 씁니다.",
}


def ask_for_answer(draw: Draw, strategy: str, instruction: str, given: str = "") -> Prompt:
    """Write the prompt of the last wave: the task alone, with the draw's decoding."""
    content = f"{instruction}\n\n{given}" if given else instruction
    return Prompt(
        messages=(
            Message(role="system", content=_SYSTEM[draw.language]),
            Message(role="user", content=content),
        ),
        decoding=draw.decoding,
        strategy=strategy,
        language=draw.language,
        task_type=draw.task_type,
        seed_ids=draw.seed_ids,
        sample_index=draw.sample_index,
    )
