"""All models of a comparison are asked in one form: a chat template where all have the same."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.manifest import ContractSummary, MemoryEstimate, TemplateName, TrainingManifest
from schemas.rendering import TemplateError
from schemas.templates import INSTRUCTION
from training.base_model import load_tokenizer
from training.evaluation.answerers import LocalModel
from training.evaluation.asking import choose_template
from training.evaluation.config import EvaluationConfig
from training.evaluation.prompts import draw_shots, open_with
from training.evaluation.reading import read_report
from training.evaluation.report import Contestant, EvaluationRequest, evaluate
from training.evaluation.scoring import score_answers
from training.evaluation.tasks.items import EvaluationTask
from training.loading import load_model
from training.templating import find_template

CHAT = (
    "{% for m in messages %}# {{ m.role }}\n{{ m.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}# assistant\n{% endif %}"
)

MakeModel = Callable[..., Path]


@pytest.fixture
def make_model(llama: Path, tmp_path: Path) -> MakeModel:
    """Give the maker of copies of a model: with a chat template, and as a tuned student's."""

    def make(
        name: str, chat: str | None, trained_with: TemplateName | None = None, trained: str = ""
    ) -> Path:
        folder = tmp_path / name
        shutil.copytree(llama, folder)
        tokenizer = load_tokenizer(folder)
        tokenizer.chat_template = chat
        tokenizer.save_pretrained(folder)
        if trained_with is not None:
            known = find_template(trained_with, tokenizer).hash
            manifest = make_manifest(name, trained_with, trained or known)
            (folder / "manifest.json").write_text(manifest.model_dump_json())
        return folder

    return make


def make_manifest(name: str, template: TemplateName, template_hash: str) -> TrainingManifest:
    contract = ContractSummary(
        rows={}, overlong=0, tokens=0, trained_tokens=0, length_median=0, length_longest=0,
        languages={}, duplicates=0,
    )  # fmt: skip
    return TrainingManifest(
        name=name, version="0001-a", method="full", student="base", student_path="/x",
        student_sha256="", dataset="d/0001-a", dataset_content_hash="", template=template,
        template_hash=template_hash, recipe={}, contract=contract, memory=MemoryEstimate(
            process_mb=100, weights_mb=1, adapters_mb=0, gradients_mb=0, optimizer_mb=0,
            activations_mb=0, logits_mb=0,
        ), steps=1,
        loss_before=1, loss_after=1, peak_memory_mb=1, train_seconds=1, tokens_per_second=1,
        trainable_parameters=1, total_parameters=1, files=(), libraries={}, code_version="t",
    )  # fmt: skip


def test_all_are_asked_in_the_chat_template_that_all_have(make_model: MakeModel) -> None:
    models = {"base": make_model("base", CHAT), "tuned": make_model("tuned", CHAT, "chat")}

    asking = choose_template(models, "tuned")

    assert (asking.template.name, asking.note) == ("chat", "")


def test_model_without_chat_template_has_all_asked_in_the_instruction_form(
    make_model: MakeModel,
) -> None:
    models = {"base": make_model("base", None), "tuned": make_model("tuned", CHAT, "chat")}

    asking = choose_template(models, "tuned")

    assert asking.template == INSTRUCTION
    assert asking.note.startswith("tuned chats, base cannot, so all models are asked")


def test_differing_chat_templates_have_all_asked_in_the_instruction_form(
    make_model: MakeModel,
) -> None:
    other = make_model("other", CHAT.replace("# ", "## "))
    models = {"other": other, "tuned": make_model("tuned", CHAT, "chat")}

    asking = choose_template(models, "tuned")

    assert asking.template == INSTRUCTION
    assert "templates of tuned" in asking.note
    assert "differ" in asking.note


def test_challenger_that_does_not_chat_is_asked_as_it_was_trained(make_model: MakeModel) -> None:
    champion = make_model("champion", CHAT, "chat")
    models = {"champion": champion, "tuned": make_model("tuned", CHAT, "instruction")}

    asking = choose_template(models, "tuned")

    assert asking.template == INSTRUCTION
    assert "champion was trained with its chat template, tuned was not" in asking.note


@pytest.mark.parametrize("template", ["instruction", "chat"])
def test_student_whose_template_changed_is_not_evaluated(
    make_model: MakeModel, tmp_path: Path, korean_task: EvaluationTask, template: TemplateName
) -> None:
    model = make_model("tuned", CHAT, template, trained="0123456789abcdef")
    request = EvaluationRequest(
        contestants={"tuned": Contestant(LocalModel(model), model)},
        baseline="tuned",
        tasks=[korean_task],
        config=EvaluationConfig(shots=(0,), limit=2),
    )

    with pytest.raises(TemplateError, match="0123456789abcdef, but would be asked with"):
        evaluate(request, tmp_path / "e")


def test_report_says_how_models_were_asked(
    make_model: MakeModel, tmp_path: Path, korean_task: EvaluationTask
) -> None:
    models = {"base": make_model("base", CHAT), "tuned": make_model("tuned", CHAT, "chat")}
    request = EvaluationRequest(
        contestants={name: Contestant(LocalModel(path), path) for name, path in models.items()},
        baseline="base",
        tasks=[korean_task],
        config=EvaluationConfig(shots=(0, 1), limit=3, draws=1),
    )

    report = read_report(evaluate(request, tmp_path / "e"))

    tokenizer = load_tokenizer(models["base"])
    assert report.template == "chat"
    assert report.template_hash == find_template("chat", tokenizer).hash
    assert report.template_note == ""


@pytest.mark.parametrize("language", ["english", "korean"])
@pytest.mark.parametrize("count", [0, 2])
def test_scores_in_chat_form_equal_plain_transformers(
    request: pytest.FixtureRequest, make_model: MakeModel, language: str, count: int
) -> None:
    task: EvaluationTask = request.getfixturevalue(f"{language}_task")
    model, tokenizer = load_model(make_model("base", CHAT))
    template = find_template("chat", tokenizer)
    shots = draw_shots(task, count, seed=0)
    question = task.card.wordings[0].instruction
    opened = open_with(task, task.card.wordings[0], shots, template)
    texts = [item.text for item in task.items[:4]]

    found = score_answers(
        model,
        tokenizer,
        [opened.render_prompt(text) for text in texts],
        [[opened.render_answer(label) for label in task.card.labels]] * len(texts),
        template=opened.template,
    )

    def score(text: str, label: str) -> float:
        messages: list[dict[str, str]] = []
        for shot in shots:
            messages.append({"role": "user", "content": f"{question}\n\n{shot.text}"})
            messages.append({"role": "assistant", "content": shot.label})
        messages.append({"role": "user", "content": f"{question}\n\n{text}"})
        prompt: Any = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False
        )
        answer = tokenizer(label, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            log_probs = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        places = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
        return sum(log_probs[at, token].item() for at, token in zip(places, answer, strict=True))

    expected = [[score(text, label) for label in task.card.labels] for text in texts]
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected), atol=1e-4, rtol=0)


def test_worked_examples_are_earlier_turns_in_chat_form(
    make_model: MakeModel, korean_task: EvaluationTask
) -> None:
    template = find_template("chat", load_tokenizer(make_model("base", CHAT)))

    opened = open_with(korean_task, korean_task.card.wordings[0], korean_task.shots[:1], template)

    assert opened.render_prompt("좋네요.") == (
        "# user\n긍정, 부정, 중립?\n\n처음부터 끝까지 즐거웠어요. 0</s>\n# assistant\n긍정</s>\n"
        "# user\n긍정, 부정, 중립?\n\n좋네요.</s>\n# assistant\n"
    )
    assert opened.render_answer("긍정") == "긍정"
