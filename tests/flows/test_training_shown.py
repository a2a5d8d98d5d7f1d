"""What people see of a finetuning at its end: Prefect's artifact and the closing table."""

from pathlib import Path

import pytest

from cli.summary import print_summary
from flows.artifacts import show_training
from flows.engine import Artifact, PlainEngine
from flows.outcomes import FinetuneOutcome
from schemas.manifest import ContractSummary, MemoryEstimate, SampleAnswer, TrainingManifest
from schemas.records import Language
from schemas.storage import write_jsonl

HOSTILE = "\x1b[31m```\n# heading\n<script>x</script>"


class _Watching(PlainEngine):
    def __init__(self) -> None:
        self.shown: list[Artifact] = []

    def show(self, artifact: Artifact) -> str:
        self.shown.append(artifact)
        return ""


def make_answer(step: int, language: Language, answer: str) -> SampleAnswer:
    asked = "Which planet is closest to the Sun?" if language == "en" else "수도는 어디야?"
    return SampleAnswer(
        step=step, language=language, instruction=asked, input="", answer=answer, ended=bool(step)
    )


@pytest.fixture
def outcome(tmp_path: Path) -> FinetuneOutcome:
    manifest = TrainingManifest(
        name="chat", version="0001-0123456789ab", method="lora", student="tiny", student_path="/x",
        student_sha256="", dataset="d/0001-x", dataset_content_hash="", template="instruction",
        template_hash="", recipe={},
        contract=ContractSummary(
            rows={"train": 54, "validation": 6}, overlong=2, tokens=5400, trained_tokens=2700,
            length_median=100, length_longest=200, languages={"en": 30, "ko": 24}, duplicates=0,
        ),
        memory=MemoryEstimate(
            process_mb=400, weights_mb=500, adapters_mb=0, gradients_mb=0, optimizer_mb=0,
            activations_mb=50, logits_mb=50,
        ),
        steps=12, loss_before=2, loss_after=1.5, peak_memory_mb=1050, train_seconds=60,
        tokens_per_second=412, trainable_parameters=1, total_parameters=2, files=(), libraries={},
        code_version="v",
    )  # fmt: skip
    (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
    answers = [
        make_answer(0, "en", HOSTILE), make_answer(12, "en", ""),
        make_answer(0, "ko", "수도"), make_answer(12, "ko", "서울입니다."),
    ]  # fmt: skip
    write_jsonl(tmp_path / "samples.jsonl", answers)
    (tmp_path / "curves.png").write_bytes(b"\x89PNG")
    return FinetuneOutcome(
        model=tmp_path, tuned_on=manifest.dataset, loss_before=2, loss_after=1.5,
        peak_memory_mb=1050, train_seconds=60, steps=12,
    )  # fmt: skip


def test_the_artifact_holds_figures_curves_and_answers(outcome: FinetuneOutcome) -> None:
    engine = _Watching()

    show_training(engine, outcome)

    (artifact,) = engine.shown
    assert artifact.key == "training-chat"
    for words in (
        "2.0000 before, 1.5000 after",
        "412 tokens/s",
        "1,000 MB planned, 1,050 MB measured",
        "(data:image/png;base64,iVBORw==)",
        "서울입니다.",
        "(ends at once)",
    ):
        assert words in artifact.markdown
    # The student's own fence is shorter than the one around it.
    assert "````text\n[before]\n�[31m```\n# heading" in artifact.markdown


def test_the_closing_table_tells_what_it_took_and_what_is_answered(
    outcome: FinetuneOutcome, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")

    print_summary(outcome)

    said = capsys.readouterr().err
    for words in (
        "2.0000 before, 1.5000 after (-25.0%)",
        "12 in 60 s, 412 tokens/s",
        "54 trained on, 6 held out; 2,700 of 5,400 tokens are answers; 2 left out as too long",
        "1,050 MB, 1,000 planned (+5.0%)",
        "(does not end)",
        "서울입니다.",
    ):
        assert words in said
    assert "\x1b" not in said
