"""The strategies by name."""

from pipeline.generation.config import StrategyName
from pipeline.generation.strategies import alpaca, structured
from pipeline.generation.strategies.evolve import evolve
from pipeline.generation.strategies.koalpaca import documents, translate
from pipeline.generation.strategies.magpie import magpie
from pipeline.generation.strategies.self_instruct import self_instruct
from pipeline.generation.strategies.strategy import Strategy
from pipeline.generation.strategies.topics import topics

STRATEGIES: dict[StrategyName, Strategy] = {
    "structured": structured.STRATEGY,
    "alpaca": alpaca.STRATEGY,
    "self_instruct": self_instruct.STRATEGY,
    "koalpaca_translate": translate.STRATEGY,
    "koalpaca_documents": documents.STRATEGY,
    "evolve": evolve.STRATEGY,
    "topics": topics.STRATEGY,
    "magpie": magpie.STRATEGY,
}
