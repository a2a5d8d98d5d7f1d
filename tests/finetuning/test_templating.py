"""Students' chat templates, modelled on real ones, and the tokens that come of them.

The oracle is transformers' own ``apply_chat_template(tokenize=True)``.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.manifest import TrainingManifest
from schemas.rendering import Rendered, Shot, TemplateError
from tests.finetuning.contract_makers import make_tokenizer
from training.templating import check_template, find_template
from training.tokens import split_rows, start_tokens

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As Qwen2.5 and SmolLM2: a system prompt when there is none.
DEFAULT_SYSTEM = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant."
    "<|im_end|>\n{% endif %}" + CHATML
)
# As Gemma 2 and 3: text stripped, turns have to alternate, the beginning written by the template.
GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' "
    "+ message.content | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
# As Llama 2: markers that are text, spaces around the answer.
LLAMA_2 = (
    "{% for message in messages %}{% if message.role == 'user' %}"
    "{{ bos_token + '[INST] ' + message.content | trim + ' [/INST]' }}"
    "{% else %}{{ ' ' + message.content | trim + ' ' + eos_token }}{% endif %}{% endfor %}"
)
# As Llama 3.2: today's date, where the engine knows it.
LLAMA_3_2 = (
    "{%- if not date_string is defined %}{%- if strftime_now is defined %}"
    '{%- set date_string = strftime_now("%d %b %Y") %}{%- else %}'
    '{%- set date_string = "26 Jul 2024" %}{%- endif %}{%- endif %}'
    "{{- bos_token }}<|im_start|>system\n\nToday Date: {{ date_string }}\n\n<|im_end|>" + CHATML
)
# As Qwen3: an empty thought before the last answer, none in the prompt.
QWEN_3 = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n"
    "{{ message.content.split('</think>')[-1].lstrip('\n') }}"
    "{% else %}{{ message.content }}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = ["<|im_start|>", "<|im_end|>", "<start_of_turn>", "<end_of_turn>", "<think>"]
USABLE = {
    "chatml": CHATML,
    "default-system": DEFAULT_SYSTEM,
    "gemma": GEMMA,
    "llama-2": LLAMA_2,
    "qwen-3": QWEN_3,
}


def student(chat_template: str | None, *, adds_bos: bool = False) -> Any:
    return make_tokenizer(
        merges=[("Ċ", "Ċ"), ("Ġ", "a"), ("Ċ", "Ġ"), (".", "Ċ"), ("a", "n")],
        special=MARKS,
        chat_template=chat_template,
        adds_bos=adds_bos,
    )


def talk(question: str, answer: str | None = None) -> list[dict[str, str]]:
    turns = [{"role": "user", "content": question}]
    return turns if answer is None else [*turns, {"role": "assistant", "content": answer}]


def ask(tokenizer: Any, messages: Sequence[dict[str, str]]) -> list[int]:
    """Tokenize a conversation as transformers does it at inference."""
    return tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=False
    )


def tokens_of(tokenizer: Any, question: str, answer: str) -> tuple[list[int], list[int]]:
    """Tokenize as training does: start and prompt, answer and stop."""
    template = find_template("chat", tokenizer)
    split = split_rows([template.render(question, "", answer, "en")], template, tokenizer)[0]
    stop = tokenizer.convert_tokens_to_ids(template.stop)
    return [*start_tokens(tokenizer, template), *split.prompt], [*split.answer, stop]


TEXTS = [
    pytest.param("Name a banana.", "A banana.", id="english"),
    pytest.param("과일 이름을 하나 말해 줘.", "바나나입니다.", id="korean"),
    pytest.param("Which? 👩‍👩‍👧 🇰🇷", "🍐", id="emoji"),
    pytest.param(unicodedata.normalize("NFD", "각 나라"), "나라", id="decomposed"),
    pytest.param("  an input \n", "\n\n an answer  ", id="spaces"),
    pytest.param("user", "assistant", id="words-of-the-template"),
    pytest.param("{{ messages }}{% x %}", "{# no #}", id="jinja"),
]


@pytest.mark.parametrize("adds_bos", [False, True], ids=["no-bos", "adds-bos"])
@pytest.mark.parametrize("name", USABLE)
@pytest.mark.parametrize(("question", "answer"), TEXTS)
def test_tokens_are_those_of_inference(
    name: str, adds_bos: bool, question: str, answer: str
) -> None:
    tokenizer = student(USABLE[name], adds_bos=adds_bos)

    prompt, completion = tokens_of(tokenizer, question, answer)

    assert prompt == ask(tokenizer, talk(question))
    whole = tokenizer.apply_chat_template(talk(question, answer), tokenize=False)
    assert whole.startswith(tokenizer.decode(prompt + completion))


@given(
    question=st.text("an .\n \t가각ㄱ\u1112\u1161🍐<|>/s_im", min_size=1, max_size=24),
    answer=st.text("an .\n \t가각ㄱ\u1112\u1161🍐<|>/s_im", min_size=1, max_size=24),
    name=st.sampled_from(sorted(USABLE)),
)
def test_any_text_has_the_tokens_of_inference(question: str, answer: str, name: str) -> None:
    tokenizer = student(USABLE[name])
    if any(mark in question + answer for mark in tokenizer.all_special_tokens):
        return

    prompt, completion = tokens_of(tokenizer, question, answer)

    assert prompt == ask(tokenizer, talk(question))
    assert sum(token in tokenizer.all_special_ids for token in completion[:-1]) == (
        name == "qwen-3"
    )


@pytest.mark.parametrize("name", USABLE)
@pytest.mark.parametrize(
    "spelled", ["a<|im_end|>n", "<s>", "</s>", "<start_of_turn>", "<end_of_turn>user", "<think>"]
)
def test_control_tokens_spelled_in_a_record_are_text(name: str, spelled: str) -> None:
    # huggingface/transformers#29279 and #47822: content becomes real control tokens there.
    tokenizer = student(USABLE[name], adds_bos=True)
    special = set(tokenizer.all_special_ids)

    plain = tokens_of(tokenizer, "xyz", "uvw")
    found = tokens_of(tokenizer, f"xyz{spelled}", f"{spelled}uvw")

    for harmless, hostile in zip(plain, found, strict=True):
        assert [t for t in hostile if t in special] == [t for t in harmless if t in special]
    assert f"xyz{spelled}" in tokenizer.decode(found[0])
    assert f"{spelled}uvw" in tokenizer.decode(found[1])


def test_a_start_that_the_template_writes_is_not_put_there_twice() -> None:
    # deepseek-ai/DeepSeek-R1#151, vllm-project/vllm#27515: two of them.
    tokenizer = student(GEMMA, adds_bos=True)

    prompt, _ = tokens_of(tokenizer, "Hi", "Ho")

    assert prompt.count(tokenizer.bos_token_id) == 1


def test_a_start_that_the_template_leaves_out_stays_out() -> None:
    tokenizer = student(CHATML, adds_bos=True)

    assert tokenizer.bos_token_id not in tokens_of(tokenizer, "Hi", "Ho")[0]


@pytest.mark.parametrize(
    ("name", "stop"),
    [("chatml", "<|im_end|>"), ("gemma", "<end_of_turn>"), ("llama-2", "</s>")],
)
def test_what_ends_an_answer_is_what_the_template_writes_there(name: str, stop: str) -> None:
    # meta-llama/llama-cookbook#640: the tokenizer's eos_token is another one.
    assert find_template("chat", student(USABLE[name])).stop == stop


def test_input_stands_after_an_empty_line() -> None:
    template = find_template("chat", student(CHATML))

    assert template.render("골라 줘.", "사과, 배", "배", "ko") == (
        "<|im_start|>user\n골라 줘.\n\n사과, 배<|im_end|>\n<|im_start|>assistant\n",
        "배",
    )


def test_an_empty_thought_belongs_to_the_answer() -> None:
    # huggingface/trl#5213: prompt and whole differ.
    rendered = find_template("chat", student(QWEN_3)).render("Hi", "", "Ho", "en")

    assert rendered == Rendered(
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<think>\n\n</think>\n\nHo"
    )


def test_a_default_system_prompt_is_part_of_the_text() -> None:
    prompt = find_template("chat", student(DEFAULT_SYSTEM)).render_prompt("Hi", "", "en")

    assert prompt.startswith("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n")


def test_white_space_goes_where_inference_lets_it_go() -> None:
    # huggingface/transformers#34253: some templates strip, and the prompt is found no more.
    rendered = find_template("chat", student(GEMMA)).render("\n 가 \n", "", " 나 ", "ko")

    assert rendered.prompt.endswith("user\n가<end_of_turn>\n<start_of_turn>model\n")
    assert rendered.completion == "나"


@pytest.mark.parametrize("name", ["chatml", "default-system", "gemma", "llama-2", "qwen-3"])
def test_worked_examples_are_earlier_turns(name: str) -> None:
    tokenizer = student(USABLE[name])
    template = find_template("chat", tokenizer).after(
        [Shot("고르세요.", "사과 ", "사과"), Shot("Pick.", "", "pear")], "ko"
    )

    rendered = template.render("고르세요.", "배", "배", "ko")

    turns = [*talk("고르세요.\n\n사과 ", "사과"), *talk("Pick.", "pear"), *talk("고르세요.\n\n배")]
    assert rendered.prompt == template.render_prompt("고르세요.", "배", "ko")
    split = split_rows([rendered], template, tokenizer)[0]
    assert split.prompt == ask(tokenizer, turns)


def test_control_tokens_in_worked_examples_are_text() -> None:
    tokenizer = student(CHATML)
    template = find_template("chat", tokenizer).after([Shot("a<|im_end|>", "", "<|im_end|>")], "en")

    split = split_rows([template.render("n", "", "n", "en")], template, tokenizer)[0]

    ends = split.prompt.count(tokenizer.convert_tokens_to_ids("<|im_end|>"))
    assert ends == 3


REFUSED = [
    pytest.param(
        # hiyouga/LlamaFactory#7454, huggingface/transformers#34209: nothing is learned to stop.
        "{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}"
        "{% if add_generation_prompt %}### assistant:\n{% endif %}",
        "is no control token",
        id="no-stop",
    ),
    pytest.param(
        # huggingface/trl#5988, GLM: the next turn's marker is all that ends an answer.
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
        "is no control token",
        id="stop-belongs-to-next-turn",
    ),
    pytest.param(
        # huggingface/trl#3522, DeepSeek-R1: a thought is begun in the prompt only.
        CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif"),
        "asks with",
        id="prompt-is-not-the-beginning",
    ),
    pytest.param(LLAMA_3_2, "today's date", id="date"),
    pytest.param(
        CHATML.replace("message.content }", "message.content | upper }"), "drops", id="upper-case"
    ),
    pytest.param(
        CHATML.replace("message.content }", "message.content | replace('\n', ' ') }"),
        "changes the text",
        id="joins-lines",
    ),
    pytest.param(
        CHATML.replace("message.content }", "message.content | e }"), "changes", id="escapes"
    ),
    pytest.param(
        "{% for m in messages if m.role == 'assistant' %}{{ m.content }}<|im_end|>{% endfor %}",
        "drops",
        id="no-question",
    ),
    pytest.param("{{ messages[0].content", "cannot write", id="no-jinja"),
    pytest.param(
        # Mistral Small and Gemma raise for what they do not take.
        "{{ raise_exception('System role needed') }}",
        "System role needed",
        id="raises",
    ),
]


@pytest.mark.parametrize(("source", "reason"), REFUSED)
def test_template_that_ruins_runs_is_refused(source: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason) as refusal:
        find_template("chat", student(source))

    assert "\n" not in str(refusal.value)
    assert "template 'instruction'" in str(refusal.value)


def test_the_remedy_against_the_date_helps() -> None:
    frozen = "{%- macro strftime_now(format) -%}26 Jul 2024{%- endmacro %}"

    template = find_template("chat", student(frozen + LLAMA_3_2))

    assert "Today Date: 26 Jul 2024" in template.render_prompt("Hi", "", "en")


def test_answer_that_a_template_would_cut_is_refused_with_its_text() -> None:
    # Qwen3 takes what stands before </think> for a thought and drops it.
    template = find_template("chat", student(QWEN_3))

    with pytest.raises(TemplateError, match="'first</think>second'"):
        template.render("생각해 줘.", "", "first</think>second", "ko")


def test_base_model_without_chat_template_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"Gemma 3 270M.*template 'instruction'"):
        find_template("chat", student(None))


def test_instruction_template_takes_its_ends_from_the_tokenizer() -> None:
    assert find_template("instruction", student(None, adds_bos=True))[:2] == ("</s>", "<s>")
    assert find_template("instruction", student(None))[:2] == ("</s>", "")


def test_hash_covers_what_is_written_and_nothing_else() -> None:
    known = find_template("chat", student(CHATML)).hash

    assert find_template("chat", student("{# a remark #}" + CHATML)).hash == known
    for change in (
        ("<|im_end|>\n", "<|im_end|>"),
        ("{{ message.content }}", " {{ message.content }}"),
    ):
        assert find_template("chat", student(CHATML.replace(*change))).hash != known
    assert find_template("chat", student(DEFAULT_SYSTEM)).hash != known


def test_student_is_asked_with_no_other_template_than_it_was_trained_with() -> None:
    tokenizer = student(CHATML)
    trained = find_template("chat", tokenizer)
    manifest = TrainingManifest.model_construct(
        name="demo", version="0001-x", template="chat", template_hash=trained.hash
    )

    assert check_template(manifest, tokenizer).hash == trained.hash
    tokenizer.chat_template = DEFAULT_SYSTEM
    other = find_template("chat", tokenizer).hash
    with pytest.raises(TemplateError, match=rf"{trained.hash}.*{other}.*finetune again"):
        check_template(manifest, tokenizer)


@pytest.mark.slow
@given(question=st.text(min_size=1, max_size=60), answer=st.text(min_size=1, max_size=60))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_smollm2_has_the_tokens_of_inference_for_any_text(
    smollm2_tokenizer: Any, question: str, answer: str
) -> None:
    if any(mark in question + answer for mark in smollm2_tokenizer.all_special_tokens):
        return

    prompt, completion = tokens_of(smollm2_tokenizer, question, answer)

    assert prompt == ask(smollm2_tokenizer, talk(question))
    alone = smollm2_tokenizer(answer, add_special_tokens=False)["input_ids"]
    whole = smollm2_tokenizer.apply_chat_template(talk(question, answer), return_dict=False)
    assert completion[:-1] == alone or whole[len(prompt) :][: len(completion)] == completion


@pytest.mark.slow
@pytest.mark.parametrize(("question", "answer"), TEXTS)
def test_smollm2_has_the_tokens_of_inference(
    smollm2_tokenizer: Any, question: str, answer: str
) -> None:
    assert tokens_of(smollm2_tokenizer, question, answer)[0] == ask(
        smollm2_tokenizer, talk(question)
    )


@pytest.fixture(scope="module")
def smollm2_tokenizer(smollm2_checkpoint: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2_checkpoint, local_files_only=True)
