"""One worked example for each operator of Evol-Instruct, shown as a turn before the task.

Without one the embedded teacher, a 1.5B model, hands Korean tasks back as they are.
"""

from typing import NamedTuple

from pipeline.generation.strategies.evolve.operators import Operator
from schemas.records import Language


class Task(NamedTuple):
    """What is evolved: a task without its answer."""

    instruction: str
    input: str = ""


class Evolution(NamedTuple):
    """A task and what one operator makes of it."""

    parent: Task
    evolved: Task


_BREAD: dict[Language, Task] = {
    "en": Task("Explain how to keep bread fresh."),
    "ko": Task("식빵을 오래 보관하는 방법을 설명해 주세요."),
}
_PRICES: dict[Language, Evolution] = {
    "en": Evolution(
        Task("Name the cheapest item.", "pens 3.20, notebooks 2.80"),
        Task(
            "Name the item with the lowest price per piece.",
            "| item | pieces | price |\n| pens | 4 | 3.20 |\n| notebooks | 2 | 2.80 |\n"
            "| erasers | 10 | 5.50 |",
        ),
    ),
    "ko": Evolution(
        Task("가장 싼 것을 고르세요.", "볼펜 3,200원, 공책 2,800원"),
        Task(
            "개당 가격이 가장 낮은 품목을 고르세요.",
            "| 품목 | 묶음 | 가격 |\n| 볼펜 | 4개 | 3,200원 |\n| 공책 | 2권 | 2,800원 |\n"
            "| 지우개 | 10개 | 5,500원 |",
        ),
    ),
}
_EVOLVED: dict[Language, dict[Operator, str]] = {
    "en": {
        "constraint": "Explain how to keep bread fresh for five days without a freezer or plastic "
        "bags.",
        "deepen": "Explain how to keep bread fresh, why it goes stale in one place and mouldy in "
        "another, and what the kind of flour changes.",
        "concretise": "Explain how to keep a crusty sourdough loaf fresh in a damp kitchen by the "
        "sea in August.",
        "reasoning": "Two people eat four slices of bread a day and buy 28 slices every Sunday. If "
        "bread keeps for three days, explain how many slices to freeze and when to thaw them.",
        "breadth": "Explain how to store saffron so that its threads keep their scent for years.",
    },
    "ko": {
        "constraint": "냉동실과 비닐봉지를 쓰지 않고 식빵을 닷새 동안 보관하는 방법을 설명해 "
        "주세요.",
        "deepen": "식빵을 오래 보관하는 방법을 설명하고, 빵이 굳는 까닭과 곰팡이가 피는 까닭이 "
        "어떻게 다른지도 알려 주세요.",
        "concretise": "장마철 반지하 방에서 우유 식빵 한 봉지를 일주일 동안 보관하는 방법을 설명해 "
        "주세요.",
        "reasoning": "식구 둘이 하루에 식빵 네 장을 먹고 일요일마다 스물여덟 장을 삽니다. 빵이 "
        "사흘만 간다면 몇 장을 얼리고 언제 꺼내야 하는지 차례로 설명해 주세요.",
        "breadth": "말린 고사리를 몇 해가 지나도 향이 날아가지 않게 보관하는 방법을 설명해 주세요.",
    },
}


def show_evolution(operator: Operator, language: Language) -> Evolution:
    """Find the example of an operator."""
    if operator == "input":
        return _PRICES[language]
    return Evolution(_BREAD[language], Task(_EVOLVED[language][operator]))
