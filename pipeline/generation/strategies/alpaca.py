"""Stanford Alpaca's prompt: a numbered list of tasks in ``###`` blocks, to be continued.

The form is the original's (``prompt.txt`` of tatsu-lab/stanford_alpaca): a list of 20 tasks, the
examples among them, in blocks with these labels. The words are ours, and so is the Korean prompt,
written for Korean tasks.
"""

from pipeline.generation.sampling import Draw, Example
from pipeline.generation.strategies.reading.drafting import make_drafts
from pipeline.generation.strategies.reading.numbered_list import find_tasks
from pipeline.generation.strategies.strategy import ExampleSampler, Strategy, parse_only_answer
from schemas.exchange import Completion, Decoding, Message, Prompt
from schemas.records import Draft, Language

_LIST_LENGTH = 20
_HEAD: dict[Language, str] = {
    "en": """\
Write a list of {count} tasks that differ from each other. The tasks will be given to a language \
model to see how well it carries out instructions.

Requirements:
1. Begin each instruction with a different verb, as far as possible.
2. Vary the wording: mix commands, requests and questions.
3. Vary the kind of task: open-ended writing, classification, editing, summaries, extraction, \
calculation, explanation and others.
4. A language model must be able to do the task in text. Do not ask for pictures or sound, or \
for real-world actions such as setting a reminder.
5. Write the instruction in English, in one or two sentences.
6. Where the task works on some material, put it in the input: realistic and specific, rich enough \
to make the task demanding, no placeholders, at most 100 words.
7. Where none is needed, as in a question about a commonly known fact, write only "<noinput>" in \
the input.
8. The output is a correct and fitting answer to instruction and input, in fewer than 100 words.

List of {count} tasks:
""",
    "ko": """\
서로 다른 과제 {count}개의 목록을 만들어 주세요. 이 과제들은 언어 모델에 주어지며, 모델이 지시를 \
얼마나 잘 수행하는지 평가하는 데 쓰입니다.

요건은 다음과 같습니다.
1. 지시마다 다른 동사를 써서 되도록 다양하게 만듭니다.
2. 말투도 다양하게 합니다. 부탁하는 문장과 묻는 문장을 섞고, 해요체와 합쇼체를 두루 씁니다.
3. 과제의 종류도 다양하게 합니다. 자유로운 글쓰기, 분류, 고쳐 쓰기, 요약, 정보 추출, 계산, 설명 \
등을 섞습니다.
4. 언어 모델이 글로 해낼 수 있는 과제여야 합니다. 그림이나 소리를 만들게 하거나, 알람을 맞추는 \
것처럼 실제 행동이 필요한 일을 시키지 않습니다.
5. 지시는 자연스러운 한국어로 한두 문장으로 씁니다. 한국의 생활과 문화에 맞는 소재를 고르고, \
외국어를 직역한 듯한 문장은 피합니다.
6. 지시를 수행할 자료가 필요하면 입력에 적습니다. 실제로 있을 법한 구체적인 내용을 쓰고 빈칸이나 \
'OOO' 같은 자리 표시는 쓰지 않습니다. 길이는 다섯 문장을 넘지 않게 합니다.
7. 자료가 필요 없는 지시도 있습니다. 예를 들어 "세계에서 가장 높은 산은 무엇인가요?"처럼 일반적인 \
사실을 묻는 지시라면 입력에 "<없음>"이라고만 적습니다.
8. 출력은 지시와 입력에 알맞은 정확한 답이어야 하며 다섯 문장을 넘지 않게 합니다.

과제 {count}개의 목록:
""",
}

_LABELS: dict[Language, tuple[str, str, str, str]] = {
    "en": ("Instruction", "Input", "Output", "<noinput>"),
    "ko": ("지시", "입력", "출력", "<없음>"),
}

# The original leaves "4. Instruction:" open, which a completion model continues; a chat model
# takes it for the end and answers with nothing. Unless told not to, it adds a remark of its own,
# which becomes part of the last output.
_GO_ON: dict[Language, str] = {
    "en": (
        "###\n\nContinue the list with tasks {number} to {last}, in the same form. Write nothing "
        "after the last task."
    ),
    "ko": (
        "###\n\n{number}번부터 {last}번까지 같은 형식으로 목록을 이어서 써 주세요. 과제 말고는 "
        "아무 말도 덧붙이지 마세요."
    ),
}


def build(draw: Draw) -> Prompt:
    """Begin the list with the examples and ask for the rest of it."""
    blocks = [
        _render(number, example, draw.language) for number, example in enumerate(draw.examples, 1)
    ]
    text = _HEAD[draw.language].format(count=_LIST_LENGTH) + "".join(blocks)
    text += _GO_ON[draw.language].format(number=len(draw.examples) + 1, last=_LIST_LENGTH)
    return Prompt(
        messages=(Message(role="user", content=text),),
        decoding=draw.decoding,
        strategy="alpaca",
        language=draw.language,
        seed_ids=draw.seed_ids,
        sample_index=draw.sample_index,
    )


def parse(completion: Completion, prompt: Prompt) -> list[Draft]:
    """Read every task of the list; the last is marked when the token limit cut it."""
    is_cut = completion.finish_reason == "length"
    return make_drafts(find_tasks(completion.text, is_cut=is_cut), completion, prompt)


def _render(number: int, example: Example, language: Language) -> str:
    instruction, given, output, nothing = _LABELS[language]
    # As the original does: one line, single spaces, no colon at the end.
    asked = " ".join(example.instruction.split()).rstrip(":")
    return (
        f"###\n{number}. {instruction}: {asked}\n{number}. {given}:\n{example.input or nothing}\n"
        f"{number}. {output}:\n{example.output}\n"
    )


STRATEGY = Strategy(
    # At least: the list of 20 holds the examples, of which there are seldom more than four.
    records_asked=16,
    decoding=Decoding(temperature=0.9, top_p=0.95, max_tokens=2048),
    make_sampler=ExampleSampler,
    build=build,
    parse=parse_only_answer(parse),
)
