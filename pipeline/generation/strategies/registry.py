"""The strategies by name."""

from pipeline.generation.config import StrategyName
from pipeline.generation.strategies import (
    alpaca,
    evolve,
    koalpaca_documents,
    koalpaca_translate,
    magpie,
    self_instruct,
    structured,
    topics,
)
from pipeline.generation.strategies.strategy import Strategy

STRATEGIES: dict[StrategyName, Strategy] = {
    "structured": structured.STRATEGY,
    "alpaca": alpaca.STRATEGY,
    "self_instruct": self_instruct.STRATEGY,
    "koalpaca_translate": koalpaca_translate.STRATEGY,
    "koalpaca_documents": koalpaca_documents.STRATEGY,
    "evolve": evolve.STRATEGY,
    "topics": topics.STRATEGY,
    "magpie": magpie.STRATEGY,
}
