"""Whatever refers to what: all that is needed stays, all else goes, and the dry run says so."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.retention.reachability import find_reached
from tests.flows.retention_outputs import (
    find_answers,
    find_cache,
    find_served,
    judge,
    list_all,
    list_given,
    maintain,
    refer_dataset,
    refer_model,
    write_answers,
    write_dataset,
    write_evaluation,
    write_model,
    write_served,
)

_DATASETS = [("ko", ordinal) for ordinal in range(1, 4)] + [("en", 1), ("en", 2)]
_MODELS = [("ko", ordinal) for ordinal in range(1, 5)] + [("chat", 1), ("chat", 2)]
_dataset = st.sampled_from(_DATASETS)
_model = st.sampled_from(_MODELS)
_days = st.sampled_from([1.0, 30.0])
_STALE_DAYS = 14  # as maintenance has it unless told otherwise
_Version = tuple[str, int]


class Outputs(NamedTuple):
    """Who refers to whom, and who is champion."""

    parents: dict[_Version, list[_Version]]
    teachers: dict[_Version, list[_Version]]
    tuned_on: dict[_Version, _Version]
    tuned_from: dict[_Version, _Version]
    compared: list[tuple[_Version, _Version, bool]]
    """Challenger, baseline, and whether the registry names the evaluation."""
    champions: list[_Version]
    keep: int
    answers: dict[_Version, float]
    """Days since a model's kept answers were used."""
    served: dict[_Version, float]
    """Days since a student was served from the cache."""


_outputs = st.builds(
    Outputs,
    parents=st.dictionaries(_dataset, st.lists(_dataset, max_size=2), max_size=3),
    teachers=st.dictionaries(_dataset, st.lists(_model, max_size=1), max_size=2),
    tuned_on=st.fixed_dictionaries(dict.fromkeys(_MODELS, _dataset)),
    tuned_from=st.dictionaries(_model, _model, max_size=2),
    compared=st.lists(st.tuples(_model, _model, st.booleans()), max_size=4, unique=True),
    champions=st.lists(_model, max_size=3, unique=True),
    keep=st.integers(1, 3),
    answers=st.dictionaries(_model, _days),
    served=st.dictionaries(_model, _days),
)


def make(drawn: Outputs, outputs: Path) -> dict[tuple[str, str], str]:
    """Write it; return each evaluation's key by challenger and baseline."""
    for dataset in _DATASETS:
        write_dataset(
            outputs, *dataset,
            parents=[refer_dataset(*one) for one in drawn.parents.get(dataset, [])],
            teachers=[refer_model(*one) for one in drawn.teachers.get(dataset, [])],
        )  # fmt: skip
    for model in _MODELS:
        base = drawn.tuned_from.get(model)
        path = str(outputs / "models" / refer_model(*base)) if base else "/base"
        write_model(
            outputs, *model, dataset=refer_dataset(*drawn.tuned_on[model]), student_path=path
        )
    for champion in drawn.champions:
        judge(outputs, refer_model(*champion), promote=True)
    evaluations: dict[tuple[str, str], str] = {}
    for number, (one, other, is_named) in enumerate(drawn.compared):
        folder = write_evaluation(
            outputs, refer_model(*one), against=[refer_model(*other)], number=number
        )
        if is_named:
            judge(outputs, refer_model(*one), folder)
        evaluations[f"{number}", refer_model(*one)] = folder.relative_to(outputs).as_posix()
    for model, days in drawn.answers.items():
        write_answers(outputs, refer_model(*model), days)
    for model, days in drawn.served.items():
        write_served(outputs, refer_model(*model), days)
    return evaluations


def find_unused(drawn: Outputs, outputs: Path, models: set[_Version]) -> set[str]:
    """Find what was kept to save time, and neither stays by a reference nor by its time."""
    asked = {model for one, other, _ in drawn.compared if one in models for model in (one, other)}
    answers = {
        find_answers(outputs, refer_model(*one)).relative_to(outputs).as_posix()
        for one, days in drawn.answers.items()
        if days > _STALE_DAYS and one not in asked
    }
    return answers | {
        str(find_served(outputs, refer_model(*one)))
        for one, days in drawn.served.items()
        if days > _STALE_DAYS and one not in models
    }


def find_needed(drawn: Outputs) -> tuple[set[_Version], set[_Version]]:
    """Find the datasets and models that have to stay: the rules, applied until nothing is new."""
    datasets = {one for one in _DATASETS if _rank(one, _DATASETS) < drawn.keep}
    models = {one for one in _MODELS if _rank(one, _MODELS) < drawn.keep} | set(drawn.champions)
    while True:
        before = len(datasets) + len(models)
        datasets |= {drawn.tuned_on[model] for model in models}
        datasets |= {held for one in datasets for held in drawn.parents.get(one, [])}
        models |= {held for one in datasets for held in drawn.teachers.get(one, [])}
        models |= {drawn.tuned_from[one] for one in models if one in drawn.tuned_from}
        models |= {baseline for one, baseline, _ in drawn.compared if one in models}
        if len(datasets) + len(models) == before:
            return datasets, models


def _rank(one: _Version, versions: list[_Version]) -> int:
    return sum(other[0] == one[0] and other[1] > one[1] for other in versions)


@settings(max_examples=40)
@given(_outputs)
def test_all_that_is_needed_stays_and_all_else_goes(drawn: Outputs) -> None:
    with TemporaryDirectory() as folder:
        outputs = Path(folder).resolve() / "outputs"
        evaluations = make(drawn, outputs)
        datasets, models = find_needed(drawn)
        expected = {f"datasets/{refer_dataset(*one)}" for one in {*_DATASETS} - datasets}
        expected |= {f"models/{refer_model(*one)}" for one in {*_MODELS} - models}
        for number, (one, _, is_named) in enumerate(drawn.compared):
            if one not in models and not is_named:
                expected.add(evaluations[f"{number}", refer_model(*one)])
        expected |= find_unused(drawn, outputs, models)
        before, served = list_all(outputs), list_served(outputs)

        told = maintain(outputs, keep=drawn.keep)

        assert list_given(told) == expected
        assert list_all(outputs) == before
        assert list_served(outputs) == served
        assert list_given(maintain(outputs, keep=drawn.keep, apply=True)) == expected
        assert not any((outputs / one).exists() for one in expected)
        assert list_given(maintain(outputs, keep=drawn.keep, apply=True)) == set()
        left = {key for key in list_all(outputs) if not key.split("/")[-1].startswith(".")}
        gone = {key for key in before if any(key.startswith(f"{one}/") for one in expected)}
        assert left == {key for key in before if not key.split("/")[-1].startswith(".")} - gone
        assert list_served(outputs) == served - expected


def list_served(outputs: Path) -> set[str]:
    return {str(path) for path in find_cache(outputs).rglob("*.gguf")}


@given(
    st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 9))),
    st.sets(st.integers(0, 9), max_size=3),
)
def test_reached_is_what_some_path_of_references_leads_to(
    edges: dict[int, set[int]], roots: set[int]
) -> None:
    refers = {str(one): {str(other) for other in others} for one, others in edges.items()}

    reached = find_reached({str(one): "root" for one in roots}, refers)

    # Warshall's closure of the same relation.
    paths = [[column in edges.get(row, ()) for column in range(10)] for row in range(10)]
    for middle in range(10):
        for row in range(10):
            for column in range(10):
                paths[row][column] |= paths[row][middle] and paths[middle][column]
    expected = roots | {one for root in roots for one in range(10) if paths[root][one]}
    assert reached.keys() == {str(one) for one in expected}
