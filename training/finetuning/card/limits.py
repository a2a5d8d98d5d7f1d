"""What a tuned student cannot do, and where it is shown how well it does."""

from schemas.markdown import code
from training.finetuning.card.page import Page


def write_evaluation(page: Page) -> str:
    """Point to the evaluation, which is made after the card and cannot be quoted in it."""
    manifest = page.manifest
    folder = f"../../../evaluations/{manifest.name}-{manifest.version}/"
    command = f"`./pacaloom evaluate --model {page.reference}`"
    return page.section(
        "Evaluation",
        "평가",
        page.say(
            f"Whether it answers better than its base is measured by {command}. The report then "
            f"stands in [{folder}]({folder}); until then there is nothing at that place.",
            f"원본보다 잘 답하는지는 {command} 명령으로 잽니다. 결과는 [{folder}]({folder})에 "
            "놓이며, 평가하기 전에는 비어 있습니다.",
        ),
    )


def write_limits(page: Page) -> str:
    """Say what its data and its training cannot give it."""
    is_written = set(page.dataset.strategies) != {"import"}
    points = [
        page.say(
            "The rows that it learned from are machine-generated: it repeats their errors and "
            "their style."
            if is_written
            else "It repeats the errors and the style of the rows that it learned from.",
            "기계가 쓴 데이터로 배웠으므로 그 오류와 문체까지 따라 합니다."
            if is_written
            else "학습 데이터의 오류와 문체까지 따라 합니다.",
        ),
        page.say(
            "A lower held-out loss says that it writes more like those rows, not that it is more "
            "often right.",
            "검증 손실이 낮아졌다는 것은 그 데이터와 더 비슷하게 쓴다는 뜻이지 더 자주 맞힌다는 "
            "뜻이 아닙니다.",
        ),
        page.say(
            "It knows no fact that neither base nor dataset knew, and it was not trained to refuse "
            "harmful requests.",
            "원본에도 데이터셋에도 없는 사실은 알지 못하며, 해로운 요청을 거절하도록 학습하지 "
            "않았습니다.",
        ),
        _licences(page),
    ]
    return page.section("Limits", "한계", "\n".join(f"- {point}" for point in points))


def _licences(page: Page) -> str:
    licence = page.base.licence
    base = page.say(
        f"The base's licence ({code(licence)}) holds for it as well"
        if licence
        else "The base's licence, which is not known here, holds for it as well",
        f"원본의 라이선스({code(licence)})가 그대로 적용되며"
        if licence
        else "원본의 라이선스(여기서는 확인하지 못함)가 그대로 적용되며",
    )
    return page.say(
        f"{base}, and so do the terms of the teacher that wrote the rows; the dataset's is "
        f"{code(page.dataset.licence)}.",
        f"{base}, 데이터를 쓴 교사 모델의 이용 약관도 따라야 합니다. 데이터셋의 라이선스는 "
        f"{code(page.dataset.licence)}입니다.",
    )
