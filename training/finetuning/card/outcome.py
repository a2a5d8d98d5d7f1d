"""What came of a run: its curves, what the student answers, what time and memory it took."""

import re
from collections.abc import Sequence

from schemas.manifest import MemoryEstimate, SampleAnswer
from schemas.markdown import code, plain, show_in_cell, table
from training.finetuning.card.page import Page
from training.finetuning.curves import CURVES_FILE, HeldOut, describe_curves
from training.finetuning.history import HISTORY_FILE
from training.finetuning.samples import SAMPLES_FILE

_EMPTY_LINES = re.compile(r"\n\s*\n")


def write_curves(page: Page) -> str:
    """Show the picture, with its figures for those who cannot see it."""
    if not page.points:
        return ""
    held_out = HeldOut(page.manifest.loss_before, page.manifest.loss_after)
    described = plain(describe_curves(page.points, held_out, page.language))
    return page.section(
        "Course of the training",
        "학습 경과",
        f"![{described}]({CURVES_FILE})",
        page.say(
            f"Every step stands in [{HISTORY_FILE}]({HISTORY_FILE}).",
            f"모든 스텝의 기록은 [{HISTORY_FILE}]({HISTORY_FILE})에 있습니다.",
        ),
    )


def write_answers(page: Page) -> str:
    """Show the answers of base and student side by side."""
    if not page.answers:
        return ""
    last = max(answer.step for answer in page.answers)
    before = [answer for answer in page.answers if answer.step == 0]
    after = [answer for answer in page.answers if answer.step == last]
    return page.section(
        "Before and after",
        "학습 전과 후",
        page.say(
            "The same questions are asked of every student, greedily and for at most 64 tokens. "
            "They show its form, not how often it is right.",
            "모든 학생 모델에 같은 질문을 탐욕적 생성으로, 최대 64토큰까지 묻습니다. 답의 형식을 "
            "보여 줄 뿐 얼마나 자주 맞히는지를 보여 주지는 않습니다.",
        ),
        _side_by_side(page, before, after),
        page.say(
            f"Those in between stand in [{SAMPLES_FILE}]({SAMPLES_FILE}).",
            f"학습 도중의 답은 [{SAMPLES_FILE}]({SAMPLES_FILE})에 있습니다.",
        )
        if len(page.answers) > len(before) + len(after)
        else "",
    )


def _side_by_side(page: Page, before: Sequence[SampleAnswer], after: Sequence[SampleAnswer]) -> str:
    """Lay answers out in HTML, because a table of Markdown holds no line breaks.

    It has no empty line, so that all of it is one block in which nothing is Markdown.
    """
    head = "".join(
        f'<th width="{width}%">{words}</th>'
        for words, width in (
            (page.say("asked", "질문"), 26),
            (page.say("before", "학습 전"), 37),
            (page.say("after", "학습 후"), 37),
        )
    )
    lines = ["<table>", f"<tr>{head}</tr>"]
    for base, tuned in zip(before, after, strict=True):
        asked = "\n".join(filter(None, (base.instruction, base.input)))
        cells = (show_in_cell(asked), _show_answer(page, base), _show_answer(page, tuned))
        lines.append("<tr>" + "".join(f'<td valign="top">{cell}</td>' for cell in cells) + "</tr>")
    return "\n".join([*lines, "</table>"])


def _show_answer(page: Page, answer: SampleAnswer) -> str:
    shown = show_in_cell(_EMPTY_LINES.sub("\n", answer.answer))
    if answer.ended:
        silent = page.say("ends at once", "바로 끝맺음")
        return shown or f"<em>{silent}</em>"
    cut = page.say("does not end", "끝맺지 못함")
    return f"{shown} <em>… {cut}</em>"


def write_cost(page: Page) -> str:
    """Say what it took, and hold the planned memory against the measured, by part."""
    manifest = page.manifest
    device = str(manifest.recipe.get("device", ""))
    kind = page.say(
        "allocated memory" if device == "cuda" else "resident memory of the process",
        "할당된 메모리" if device == "cuda" else "프로세스의 상주 메모리",
    )
    spent = page.say(
        f"{manifest.steps:,} steps took {manifest.train_seconds:,.0f} s at "
        f"{manifest.tokens_per_second:,.0f} tokens/s on {code(device)}; padding is not counted, "
        f"and neither is the time for questions and held-out loss. At most "
        f"{manifest.peak_memory_mb:,.0f} MB of {kind} were in use.",
        f"{code(device)}에서 {manifest.steps:,}스텝에 {manifest.train_seconds:,.0f}초 걸렸고 초당 "
        f"{manifest.tokens_per_second:,.0f}토큰을 학습했습니다. 채움 토큰과, 질문하고 검증 손실을 "
        f"재는 시간은 뺐습니다. {kind}는 최대 {manifest.peak_memory_mb:,.0f} MB였습니다.",
    )
    return page.section("Time and memory", "시간과 메모리", spent, _plan(page))


def _plan(page: Page) -> str:
    planned, peak = page.manifest.memory, page.manifest.peak_memory_mb
    rows = [(words, f"{size:,.0f}") for words, size in _parts(page, planned) if size >= 0.5]
    rows += [
        (page.say("**planned in all**", "**계획 합계**"), f"**{planned.total_mb:,.0f}**"),
        (
            page.say("**measured at the peak**", "**측정한 최댓값**"),
            f"**{peak:,.0f}** ({peak / planned.total_mb - 1:+.1%})",
        ),
    ]
    return table((page.say("memory", "메모리"), "MB"), rows, right=1)


def _parts(page: Page, planned: MemoryEstimate) -> list[tuple[str, float]]:
    return [
        (page.say("process and libraries", "프로세스와 라이브러리"), planned.process_mb),
        (page.say("weights", "가중치"), planned.weights_mb),
        (page.say("adapters", "어댑터"), planned.adapters_mb),
        (page.say("gradients", "기울기"), planned.gradients_mb),
        (page.say("optimizer states", "옵티마이저 상태"), planned.optimizer_mb),
        (page.say("activations", "활성값"), planned.activations_mb),
        (page.say("logits", "로짓"), planned.logits_mb),
        (page.say("working space", "작업 공간"), planned.working_mb),
    ]
