"""The first thing that people see: what was tuned on what, by which method, with what result."""

from schemas.manifest import Method
from schemas.markdown import code, table
from training.finetuning.card.page import Page


def write_overview(page: Page) -> str:
    """Say it in a sentence and a table."""
    manifest = page.manifest
    title = f"# {manifest.name} {manifest.version}"
    base = page.base.hub_id or page.base.label
    sentence = page.say(
        f"{code(base)}, tuned on the dataset {code(manifest.dataset)}: {_method(page)}.",
        f"데이터셋 {code(manifest.dataset)}로 {code(base)} 모델을 미세조정했습니다. "
        f"방식: {_method(page)}.",
    )
    share = manifest.trainable_parameters / manifest.total_parameters
    rows = [
        (page.say("held-out loss", "검증 손실"), _loss(page)),
        (
            page.say("training", "학습"),
            page.say(
                f"{manifest.steps:,} steps, {_duration(manifest.train_seconds)}, "
                f"{manifest.tokens_per_second:,.0f} tokens/s",
                f"{manifest.steps:,}스텝, {_duration(manifest.train_seconds)}, "
                f"초당 {manifest.tokens_per_second:,.0f}토큰",
            ),
        ),
        (
            page.say("trained parameters", "학습한 매개변수"),
            page.say(
                f"{manifest.trainable_parameters:,} of {manifest.total_parameters:,} ({share:.2%})",
                f"{manifest.total_parameters:,}개 중 {manifest.trainable_parameters:,}개"
                f"({share:.2%})",
            ),
        ),
        (page.say("peak memory", "최대 메모리"), f"{manifest.peak_memory_mb:,.0f} MB"),
        (page.say("answers that end", "끝맺은 답"), _endings(page)),
    ]
    return f"{title}\n\n{sentence}\n\n" + table(("", ""), [row for row in rows if row[1]])


def _method(page: Page) -> str:
    sayings: dict[Method, tuple[str, str]] = {
        "full": ("all weights trained", "모든 가중치 학습"),
        "lora": (
            "LoRA adapters on every linear layer of the frozen base",
            "원본은 고정하고 모든 선형층에 LoRA 어댑터",
        ),
        "qlora": (
            "LoRA adapters on every linear layer of the base stored in 4 bits (NF4, double "
            "quantization)",
            "원본을 4비트(NF4, 이중 양자화)로 두고 모든 선형층에 LoRA 어댑터(QLoRA)",
        ),
        "dora": (
            "DoRA adapters on every linear layer of the frozen base",
            "원본은 고정하고 모든 선형층에 DoRA 어댑터",
        ),
        "prompt_tuning": (
            "the embeddings of some virtual tokens before each prompt, the base frozen",
            "원본은 고정하고 프롬프트 앞에 두는 가상 토큰의 임베딩만 학습(프롬프트 튜닝)",
        ),
    }
    return page.say(*sayings[page.manifest.method])


def _loss(page: Page) -> str:
    before, after = page.manifest.loss_before, page.manifest.loss_after
    change = (after - before) / before if before else 0.0
    return page.say(
        f"{before:.4f} before, {after:.4f} after ({change:+.1%}), in nats a token",
        f"학습 전 {before:.4f}, 학습 후 {after:.4f}({change:+.1%}), 단위는 토큰당 nat",
    )


def _endings(page: Page) -> str:
    """Count the answers that the student ended by itself, before and after."""
    if not page.answers:
        return ""
    last = max(answer.step for answer in page.answers)
    before, after = (
        sum(answer.ended for answer in page.answers if answer.step == step) for step in (0, last)
    )
    asked = sum(answer.step == last for answer in page.answers)
    return page.say(
        f"{after} of {asked} to the questions below, {before} before the training",
        f"아래 질문 {asked}개 중 학습 전 {before}개, 학습 후 {after}개",
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
