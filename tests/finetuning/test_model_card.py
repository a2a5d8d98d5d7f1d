import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from schemas.manifest import (
    ContractSummary,
    DatasetManifest,
    MemoryEstimate,
    Method,
    SampleAnswer,
    TrainingManifest,
    TrainingPoint,
)
from schemas.records import Language
from training.finetuning.card.card import render_model_card
from training.finetuning.card.front_matter import find_base
from training.finetuning.card.page import Base, Page
from training.finetuning.explanation import explain
from training.finetuning.recipe import Hardware, Recipe, resolve
from training.finetuning.samples import QUESTIONS
from training.finetuning.student import Student

METHODS: tuple[Method, ...] = ("full", "lora", "qlora", "dora", "prompt_tuning")
PLANNED = MemoryEstimate(
    process_mb=400, weights_mb=538, adapters_mb=20, gradients_mb=20, optimizer_mb=40,
    activations_mb=900, logits_mb=82,
)  # fmt: skip
HOSTILE = (
    "</td></table><script>alert(1)</script>",
    "```\n\n# not a heading\n\n[x](javascript:alert(1)) ![y](http://a.example/p.png)",
    "| a | b |\n|---|---|\n<img src=x onerror=alert(1)>\u202e\x1b[31m",
    "표를 닫습니다</table>\n\n- 항목\n\n<https://a.example> $x$ **굵게**",
)


def make_page(
    method: Method = "qlora",
    language: Language = "en",
    answers: Iterable[str] = ("a", "b", "c", "d"),
    **changes: Any,
) -> Page:
    said = list(answers)
    recipe = Recipe(method=method, epochs=2, threads=1)
    settings = resolve(recipe, Hardware("cpu", computes_bf16=True, threads=2))
    manifest = TrainingManifest(
        name="chat", version="0002-0123456789ab", method=method, student="smollm2-135m",
        student_path="/home/someone/cache/x", student_sha256="5" * 64,
        dataset="chat/0003-ba9876543210", dataset_content_hash="b" * 64, template="instruction",
        template_hash="dc720a249ce307c8", recipe={"template": "instruction", "device": "cpu"},
        contract=ContractSummary(
            rows={"train": 110, "validation": 10}, overlong=3, tokens=26_575,
            trained_tokens=9_518, length_median=185, length_longest=1_110,
            languages={"en": 58, "ko": 52}, duplicates=1,
        ),
        memory=PLANNED, steps=10, loss_before=2.0, loss_after=1.5, peak_memory_mb=2_100,
        train_seconds=161, tokens_per_second=69, trainable_parameters=5, total_parameters=100,
        files=(), libraries={"torch": "2.13.0"}, code_version="abc",
    )  # fmt: skip
    dataset = DatasetManifest(
        licence="cc-by-4.0", name="chat", version="0003-ba9876543210", content_hash="b" * 64,
        generated=120, kept=120, rejected={}, kept_by_language={"en": 60, "ko": 60},
        rejected_by_language={}, splits={"train": 110, "validation": 10},
        teachers={"a`teacher|<b>": 120}, strategies={"self-instruct": 120}, curation={},
        seeds=(), files=(), code_version="test", card_language=language,
    )  # fmt: skip
    points = [
        TrainingPoint(step=n, loss=2 - n / 20, learning_rate=1e-4, gradient_norm=1, tokens=n)
        for n in range(1, 11)
    ]
    samples = [
        SampleAnswer(
            step=step, language=one.language, instruction=one.instruction, input=one.input,
            answer=said[place % len(said)], ended=step > 0,
        )
        for step in (0, 10)
        for place, one in enumerate(QUESTIONS)
    ]  # fmt: skip
    base = Base("smollm2-135m", "HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0")
    page = Page(
        manifest, dataset, base, explain(recipe, settings, {"epochs", "threads"}), points, samples
    )
    return page._replace(**changes)


def body_of(card: str) -> str:
    return card.split("---\n", 2)[2]


class _Tags(HTMLParser):
    """Collects the tags of a card's HTML, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def read_html(card: str) -> _Tags:
    tags = _Tags()
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tags.feed(renderer.render(body_of(card)))
    return tags


def test_the_front_matter_is_what_the_hub_reads() -> None:
    from huggingface_hub import ModelCard

    data = ModelCard(render_model_card(make_page())).data.to_dict()

    assert data["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert data["base_model_relation"] == "adapter"
    assert data["library_name"] == "peft"
    assert (data["license"], data["language"], data["datasets"]) == (
        "apache-2.0",
        ["en", "ko"],
        ["chat"],
    )
    assert {"pacaloom", "qlora"} <= set(data["tags"])


def test_a_fully_tuned_student_is_a_transformers_model() -> None:
    front_matter = render_model_card(make_page("full")).split("---\n", 2)[1]

    facts = yaml.safe_load(front_matter)
    assert (facts["library_name"], facts["base_model_relation"]) == ("transformers", "finetune")


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("answer", HOSTILE)
def test_no_answer_breaks_out_of_its_cell(answer: str, language: Language) -> None:
    calm = read_html(render_model_card(make_page(language=language)))
    hostile = read_html(render_model_card(make_page(language=language, answers=[answer])))

    assert hostile.tags == calm.tags
    assert hostile.attributes == calm.attributes
    first_line = answer.splitlines()[0]
    assert first_line in hostile.text
    assert "\u202e" not in hostile.text
    assert "\x1b" not in hostile.text


@pytest.mark.parametrize(
    ("method", "wanted", "unwanted"),
    [
        ("full", "AutoModelForCausalLM.from_pretrained(folder)", "peft"),
        ("lora", "PeftModel.from_pretrained(base, folder).merge_and_unload()", "BitsAndBytes"),
        ("dora", "PeftModel.from_pretrained(base, folder).merge_and_unload()", "BitsAndBytes"),
        ("qlora", "PeftModel.from_pretrained(base.dequantize(), folder)", "PATH/TO"),
        ("prompt_tuning", "model = PeftModel.from_pretrained(base, folder)\n", "merge_and_unload"),
    ],
)
def test_the_use_section_is_right_for_the_method(
    method: Method, wanted: str, unwanted: str
) -> None:
    use = render_model_card(make_page(method)).split("## Use")[1].split("\n## ")[0]

    assert wanted in use
    assert unwanted not in use
    assert ("./pacaloom serve chat/0002-0123456789ab" in use) == (method != "prompt_tuning")
    for block in re.findall(r"```python\n(.*?)```", use, re.DOTALL):
        compile(block, method, "exec")


def test_planned_memory_is_held_against_measured() -> None:
    card = render_model_card(make_page())

    # 2,100 MB against 400 + 538 + 20 + 20 + 40 + 900 + 82 = 2,000.
    assert "| **planned in all** | **2,000** |" in card
    assert "**2,100** (+5.0%)" in card


def test_only_what_differs_from_the_defaults_stands_before_the_fold() -> None:
    recipe = render_model_card(make_page()).split("## Recipe")[1].split("\n## ")[0]
    shown, folded = recipe.split("<details>")

    assert "| `epochs` | 2 | 3 | Stanford Alpaca |" in shown
    assert "`warmup`" not in shown
    assert "| `warmup` | 0.03 | Stanford Alpaca; QLoRA, table 9 |" in folded


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        ("en", ["Use", "Before and after", "Course of the training", "What it was made from",
                "The rows, as they were checked", "Recipe", "Time and memory", "Evaluation",
                "Limits"]),
        ("ko", ["쓰는 법", "학습 전과 후", "학습 경과", "무엇으로 만들었나", "학습 전 데이터 점검",
                "학습 설정", "시간과 메모리", "평가", "한계"]),
    ],
)  # fmt: skip
def test_the_card_speaks_the_language_of_the_datasets_card(
    language: Language, headings: list[str]
) -> None:
    card = render_model_card(make_page(language=language))

    assert re.findall(r"^## (.+)$", card, re.MULTILINE) == headings


def test_the_card_tells_hashes_contract_and_where_the_evaluation_will_be() -> None:
    card = render_model_card(make_page())

    assert "b" * 64 in card
    assert "5" * 64 in card
    assert "`dc720a249ce307c8`" in card
    assert "| rows trained on | 110 (English 58, Korean 52) |" in card
    assert "26,575, of which 9,518 (36%)" in card
    assert "](../../../evaluations/chat-0002-0123456789ab/)" in card
    assert "./pacaloom evaluate --model chat/0002-0123456789ab" in card


def test_no_path_of_this_machine_is_published() -> None:
    assert "/home/someone" not in render_model_card(make_page())


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [
        ("gemma-3-270m", "a5fd-1", Base("gemma-3-270m", "google/gemma-3-270m", "gemma")),
        ("owner/model", "snapshot", Base("owner/model", "owner/model", None)),
        ("models/mine", "models/mine", Base("mine", None, None)),
        ("/abs/models/mine", "models/mine", Base("mine", None, None)),
    ],
    ids=["embedded", "hub", "relative", "absolute"],
)
def test_a_base_is_named_as_others_can_find_it(
    tmp_path: Path, name: str, folder: str, expected: Base
) -> None:
    (tmp_path / folder).mkdir(parents=True)

    assert find_base(Student(name, tmp_path / folder)) == expected


@pytest.mark.parametrize(
    ("text", "licence"),
    [("---\nlicense: mit\n---\n# x", "mit"), ("# no front matter", None), ("---\n[: \n---\n", None),
     ("---\nlicense: [a, b]\n---\n", None)],
)  # fmt: skip
def test_the_licence_of_a_base_is_read_from_its_own_card(
    tmp_path: Path, text: str, licence: str | None
) -> None:
    (tmp_path / "README.md").write_text(text)

    assert find_base(Student("owner/model", tmp_path)).licence == licence
