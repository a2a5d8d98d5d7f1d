"""The judging step: ask a teacher for scores, and a student for perplexities."""

import random
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from embedded.engine import EngineOptions, start_engine
from embedded.fetch import fetch_model
from flows.engine import Engine
from flows.paths import journal_path
from flows.resources import choose_teacher, get_student
from flows.settings import Settings
from flows.steps.teaching import OPENAI_URL
from pipeline.curation.judging.agreement import report_judge
from pipeline.curation.judging.config import JudgeConfig
from pipeline.curation.judging.prompts import (
    Judgement,
    parse_judgement,
    render_judge_prompt,
    render_judge_prompts,
)
from pipeline.curation.judging.selection import Assessment
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError, Caps
from pipeline.generation.budget.prices import find_price
from pipeline.generation.config import Price
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.questions import ask_all
from schemas.errors import PacaloomError
from schemas.manifest import JudgeReport
from schemas.records import InstructionRecord, Rejection
from schemas.templates import render

_SLOTS = 4
_SLOT_TOKENS = 6144
"""Of the embedded engine's context, for the longest record shown and its scores."""


class JudgingError(PacaloomError):
    """Not all records could be judged; what was answered is kept."""


class Judged(NamedTuple):
    """What was found of the records of a curation."""

    assessments: dict[str, Assessment]
    """By record id."""
    report: JudgeReport | None


def assess(
    records: Sequence[InstructionRecord],
    dropped: Sequence[Rejection],
    config: JudgeConfig,
    name: str,
    settings: Settings,
    engine: Engine,
    *,
    may_ask: bool = True,
) -> Judged:
    """Judge records, and some that the rules dropped, with the journal of a name.

    Raises:
        JudgingError: A cap was reached, or an answer is missing and may not be asked for.
        PacaloomError: Teacher or student cannot be had.
    """
    judgements: dict[str, Judgement | None] = {}
    report: JudgeReport | None = None
    if config.model is not None:
        audited = _choose_audited(dropped, config.audit)
        judge = _Judge(config, name, settings, engine, may_ask=may_ask)
        judgements = judge.judge([*records, *audited])
        report = report_judge(
            judge.model,
            [found for record in records if (found := judgements[record.id])],
            [found for record in audited if (found := judgements[record.id])],
            config.min_score,
        )
    difficulties = _measure(records, config, settings, engine)
    return Judged(
        {
            record.id: Assessment(judgements.get(record.id), difficulties.get(record.id))
            for record in records
        },
        report,
    )


def _choose_audited(dropped: Sequence[Rejection], count: int) -> list[InstructionRecord]:
    """Draw records that the rules dropped, the same for the same records."""
    ruled = {one.draft.id: one.draft for one in dropped if one.stage == "rules"}
    chosen = random.Random(0).sample(sorted(ruled), min(count, len(ruled)))  # noqa: S311 - a sample
    return [
        InstructionRecord.model_validate(ruled[id_].model_dump(exclude={"defect"}))
        for id_ in chosen
    ]


class _Judge:
    """A teacher that scores, its journal and its budget."""

    def __init__(
        self,
        config: JudgeConfig,
        name: str,
        settings: Settings,
        engine: Engine,
        *,
        may_ask: bool,
    ) -> None:
        self._config = config
        self._settings = settings
        self._engine = engine
        self._may_ask = may_ask
        self._path = journal_path(settings.outputs, name)
        self._teacher = choose_teacher(config.model, settings)
        self.model = self._teacher.model

    def judge(self, records: Sequence[InstructionRecord]) -> dict[str, Judgement | None]:
        """Score each record; None where no answer had scores, asked again too."""
        found: dict[str, Judgement | None] = {}
        with ExitStack() as engines, Journal(self._path) as journal:
            asked = list({record.id: record for record in records}.values())
            for attempt in range(len(render_judge_prompts(asked[0])) if asked else 0):
                prompts = [render_judge_prompt(record, attempt) for record in asked]
                with self._engine.progress("judge") as progress:
                    commits = GroupCommits(journal)
                    try:
                        answers = ask_all(
                            prompts,
                            self.model,
                            journal,
                            lambda: self._connect(engines),
                            self._make_budget(journal, commits),
                            commits,
                            progress,
                        )
                    except BudgetSpentError as error:
                        raise JudgingError(
                            f"Not all of {len(records):,} records are judged: {error} Raise "
                            "judge.max_requests or judge.max_usd and run the same command again; "
                            "what was answered is kept."
                        ) from error
                for record, answer in zip(asked, answers, strict=True):
                    found[record.id] = parse_judgement(answer.text)
                asked = [record for record in asked if found[record.id] is None]
        return found

    def _make_budget(self, journal: Journal, commits: GroupCommits) -> Budget:
        run = f"judge/{self.model}"
        config = self._config
        caps = Caps(max_requests=config.max_requests, max_usd=config.max_usd)
        return Budget(
            caps,
            self._find_price(),
            ledger=RunLedger(commits, run),
            spent=journal.read_spending(run),
        )

    def _find_price(self) -> Price | None:
        if self._teacher.embedded is not None:
            return Price(input=0.0, output=0.0) if self._config.max_usd is not None else None
        return find_price(
            self.model,
            own=None,
            endpoint=self._settings.base_url or OPENAI_URL,
            is_needed=self._config.max_usd is not None,
        )

    def _connect(self, engines: ExitStack) -> Endpoint:
        from pipeline.generation.teacher.client import Teacher

        if not self._may_ask:
            raise JudgingError(
                f"{self._path} does not hold all of the judge's answers, and none may be asked "
                "for here. Curate once with this judge, or import its journal."
            )
        self._engine.say(f"Judge: {self.model} ({self._teacher.address})")
        settings = self._settings
        address, key = settings.base_url or OPENAI_URL, ""
        if self._teacher.embedded is not None:
            with self._engine.progress(f"fetch {self.model}") as progress:
                gguf = fetch_model(
                    self._teacher.embedded,
                    settings.cache,
                    accepted_terms=settings.terms,
                    progress=progress,
                )
            options = EngineOptions(parallel=_SLOTS, context_tokens=_SLOT_TOKENS)
            log = settings.outputs / "logs" / "judge.log"
            address = engines.enter_context(start_engine(gguf, self.model, options, log))
        elif settings.api_key:
            key = settings.api_key.get_secret_value()
        return Teacher(address, self.model, key, concurrency=self._config.concurrency)


def _measure(
    records: Sequence[InstructionRecord], config: JudgeConfig, settings: Settings, engine: Engine
) -> Mapping[str, float]:
    if config.student is None:
        return {}
    # torch takes seconds to import.
    from training.difficulty import measure_difficulty
    from training.loading import load_model

    student = get_student(config.student, settings, engine)
    model, tokenizer = load_model(student.path)
    texts = [render(one.instruction, one.input, one.output, one.language) for one in records]
    with engine.progress(f"difficulty for {config.student}") as progress:
        found = measure_difficulty(
            model, tokenizer, [(text.prompt, text.completion) for text in texts], progress
        )
    return {record.id: value for record, value in zip(records, found, strict=True)}
