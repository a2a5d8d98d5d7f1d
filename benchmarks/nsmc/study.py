"""Run the study: sets, students, answers, findings."""

from pathlib import Path
from typing import NamedTuple

from benchmarks.nsmc.findings import Findings, SetFinding, StudentFinding
from benchmarks.nsmc.measuring import ask_others, ask_reviews, weigh_texts, write_labels
from benchmarks.nsmc.mixtures import (
    SetName,
    Sizes,
    count_kinds,
    make_rows,
    training_reviews,
)
from benchmarks.nsmc.naive_bayes import classify
from benchmarks.nsmc.publishing import publish_set
from benchmarks.nsmc.rows import Review
from benchmarks.nsmc.students import BASE, PLANS, Plan, tune
from benchmarks.nsmc.summing_up import (
    Model,
    best_zero_shot,
    describe_cell,
    describe_gains,
    describe_others,
    describe_writing,
    spread_of_wordings,
)
from benchmarks.nsmc.task import ITEMS, measured_reviews
from flows.engine import PlainEngine
from flows.resources import get_student
from flows.settings import Settings
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.evaluation.answerers import LocalModel
from training.evaluation.held_out import compare_losses
from training.evaluation.ranking import auc
from training.evaluation.statistics.clusters import FULL_MARKS, mean_of, sum_up
from training.evaluation.statistics.intervals import bootstrap


class Study(NamedTuple):
    """Where the study works and what it does."""

    settings: Settings
    data: Path
    threads: int
    only: tuple[str, ...] = ()
    """Students by name; empty for all."""

    @property
    def plans(self) -> list[Plan]:
        """The students to tune."""
        return [plan for plan in PLANS if not self.only or plan.name in self.only]


class _Set(NamedTuple):
    folder: Path
    finding: SetFinding


def run_study(study: Study, machine: str) -> Findings:
    """Do what is not done yet, and sum everything up."""
    names: set[SetName] = {plan.data for plan in study.plans}
    sets = {name: _publish(name, study) for name in sorted(names)}
    protect = study.data / "nsmc/dev.jsonl"
    students = {
        plan: tune(plan, sets[plan.data].folder, protect, study.settings, study.threads)
        for plan in study.plans
    }
    base = _ask("base", get_student(BASE, study.settings, PlainEngine()).path, study)
    models = [base, *(_ask(plan.name, folder, study) for plan, folder in students.items())]
    others = [describe_others(model, base) for model in models]
    naive = _classify_trivially(study.data)
    return Findings(
        machine=machine,
        items=ITEMS,
        base_best=best_zero_shot(base.reviews).cell.wording.name,
        naive_bayes=naive[0],
        naive_bayes_low=naive[1],
        naive_bayes_high=naive[2],
        naive_bayes_auc=naive[3],
        sets=tuple(one.finding for one in sets.values()),
        students=tuple(_describe(plan, folder) for plan, folder in students.items()),
        cells=tuple(describe_cell(m.name, one) for m in models for one in m.reviews),
        gains=tuple(gain for m in models[1:] for gain in describe_gains(m, base.reviews)),
        spread={m.name: spread_of_wordings(m.reviews) for m in models},
        others=tuple(one for found, _ in others for one in found),
        others_together=tuple(together for _, together in others),
        texts=tuple(compare_losses({m.name: m.texts for m in models}, base.name, 0)),
        writing=tuple(one for m in models for one in describe_writing(m)),
    )


def _publish(name: SetName, study: Study) -> _Set:
    rows = make_rows(name, Sizes(), study.data)
    folder, rejected = publish_set(name, rows, study.settings, study.data)
    finding = SetFinding(name=name, version=folder.name, kinds=count_kinds(rows), rejected=rejected)
    return _Set(folder, finding)


def _ask(name: str, path: Path, study: Study) -> Model:
    import torch

    torch.set_num_threads(study.threads)
    model = LocalModel(path, "bf16")
    cells = study.settings.outputs / "cells"
    engine = PlainEngine()
    with engine.progress(f"{name}: reviews") as progress:
        reviews = ask_reviews(model, name == "base", cells, progress, study.data)
    with engine.progress(f"{name}: other tasks") as progress:
        others = ask_others(model, cells, progress)
    texts, written = weigh_texts(model, study.data), write_labels(model, study.data)
    model.unload()
    return Model(name, reviews, others, texts, written)


def _describe(plan: Plan, folder: Path) -> StudentFinding:
    manifest = read_manifest(folder, TrainingManifest, "a tuned student")
    return StudentFinding(
        name=plan.name,
        method=plan.method,
        data=plan.data,
        rows=manifest.contract.rows["train"],
        learning_rate=plan.learning_rate,
        steps=manifest.steps,
        train_minutes=manifest.train_seconds / 60,
        loss_before=manifest.loss_before,
        loss_after=manifest.loss_after,
    )


def _classify_trivially(data: Path) -> tuple[float, float, float, float]:
    """Return naive Bayes's accuracy with its interval, and its ranking, on the measured reviews."""
    train: list[Review] = training_reviews(Sizes().reviews, data)
    test = measured_reviews(data)
    scores = classify(train, [one.text for one in test])
    marks = [
        FULL_MARKS * (max(row, key=row.__getitem__) == one.label)
        for row, one in zip(scores, test, strict=True)
    ]
    alike = sum_up([one.id for one in test], [marks])
    interval = bootstrap(alike, 0)
    labels = sorted(scores[0])
    area = auc([[row[x] for x in labels] for row in scores], [labels.index(o.label) for o in test])
    return mean_of(alike), interval.low, interval.high, area or 0.0
