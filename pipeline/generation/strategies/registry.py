"""The strategies by name."""

from pipeline.generation.config import StrategyName
from pipeline.generation.strategies import alpaca, structured, topics
from pipeline.generation.strategies.strategy import Strategy

STRATEGIES: dict[StrategyName, Strategy] = {
    "structured": structured.STRATEGY,
    "alpaca": alpaca.STRATEGY,
    "topics": topics.STRATEGY,
}
