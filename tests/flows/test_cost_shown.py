"""The cost artifact holds what a run took against what it was foretold."""

from flows.cost_artifact import Cost, show_cost
from flows.engine import Artifact, PlainEngine
from pipeline.generation.budget.caps import Caps, Spending
from pipeline.generation.budget.forecast import Forecast, Range, Totals

FORECAST = Forecast(
    pilot_conversations=20,
    conversations=Range(low=80, expected=100, high=120),
    requests=Range(low=90, expected=110, high=130),
    tokens=Range(low=9_000, expected=10_000, high=11_000),
    usd=Range(low=0.09, expected=0.1, high=0.11),
    minutes=Range(low=1, expected=2, high=3),
    kept={"en": Range(low=40, expected=41, high=44), "ko": Range(low=10, expected=11, high=14)},
)
TOTALS = Totals(
    conversations=90,
    requests=100,
    tokens=12_000,
    usd=0.104,
    minutes=2.5,
    kept={"en": 42, "ko": 10},
)
COST = Cost(
    teacher="gpt-`4`",
    forecast=FORECAST,
    totals=TOTALS,
    spent=Spending(101, 8_000, 4_500, 0.1111, 150.0),
    caps=Caps(max_usd=0.5),
    stopped_because="quotas-filled",
)


class Gallery(PlainEngine):
    def __init__(self) -> None:
        self.shown: list[Artifact] = []

    def show(self, artifact: Artifact) -> str:
        self.shown.append(artifact)
        return ""


def show(cost: Cost, name: str = "nightly-ko") -> Artifact:
    gallery = Gallery()
    show_cost(gallery, name, cost)
    [artifact] = gallery.shown
    return artifact


def test_each_measure_stands_beside_its_forecast_and_how_far_off_it_was() -> None:
    artifact = show(COST)

    assert artifact.key == "cost-nightly-ko"
    assert artifact.title == "Cost of nightly-ko: $0.1040 for 12,000 tokens"
    # 90 / 100 - 1, and 12,000 beyond the upper bound of 11,000.
    assert "| conversations | 90 | 100 (80 to 120) | -10% |" in artifact.markdown
    assert "| tokens | 12,000 | 10,000 (9,000 to 11,000) | +20% ⚠ outside |" in artifact.markdown
    assert "| US dollars | 0.10 | 0.10 (0.09 to 0.11) | +4% |" in artifact.markdown
    assert "| ko records kept | 10 | 11 (10 to 14) | -9% |" in artifact.markdown


def test_run_that_ended_early_is_not_held_against_the_forecast_of_a_whole_one() -> None:
    markdown = show(COST._replace(stopped_because="max-usd")).markdown

    assert "outside" not in markdown
    assert "the run ended before" in markdown


def test_what_may_be_billed_stands_beside_the_caps() -> None:
    markdown = show(COST).markdown

    assert "| requests | 101 | none |" in markdown
    assert "| tokens | 12,500 | none |" in markdown
    assert "| US dollars | 0.1111 | 0.50 |" in markdown
    assert "| minutes | 2.5 | none |" in markdown


def test_run_without_forecast_and_price_says_so() -> None:
    free = COST._replace(forecast=None, totals=TOTALS._replace(usd=None, minutes=None))

    artifact = show(free)

    assert artifact.title == "Cost of nightly-ko: 12,000 tokens"
    assert "| US dollars | not known | – | – |" in artifact.markdown
    assert "There was no forecast" in artifact.markdown


def test_the_teacher_s_name_stays_a_name() -> None:
    assert "Teacher `` gpt-`4` ``." in show(COST).markdown
