"""A teacher that scores records: its journal, its budget, and where it answers."""

from collections.abc import Sequence
from contextlib import ExitStack

from pydantic import SecretStr

from embedded.engine import EngineOptions, start_engine
from embedded.fetch import fetch_model
from embedded.models import EmbeddedModel
from flows.engine import Engine
from flows.paths import journal_path
from flows.resources import TeacherChoice, choose_teacher, find_teacher_price
from flows.settings import Settings
from flows.steps.teaching import Pace, connect
from pipeline.curation.judging.answers import parse_judgement
from pipeline.curation.judging.config import JudgeConfig
from pipeline.curation.judging.prompts import ATTEMPTS, render_judge_prompt
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError, Caps
from pipeline.generation.config import Price
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.questions import Line, ask_all
from pipeline.generation.teacher.endpoint_list import ListedEndpoint
from schemas.errors import PacaloomError, UserError
from schemas.exchange import Completion, Prompt
from schemas.identity import short_id
from schemas.judgements import Judgement
from schemas.records import InstructionRecord

_MOST_SLOTS = 4
_SLOT_TOKENS = 6144
"""Of the embedded engine's context. A record as it is shown when it is asked again always fits."""


class JudgingError(PacaloomError):
    """Not all records could be judged; what was answered is kept."""


class JudgePriceError(UserError):
    """A cap in dollars stands on a price that nobody knows."""


class Judge:
    """Scores records with the journal of a name; the same records are never paid for twice."""

    def __init__(
        self,
        model: str,
        config: JudgeConfig,
        name: str,
        settings: Settings,
        engine: Engine,
        *,
        may_ask: bool,
    ) -> None:
        """Prepare to score; nothing is opened yet.

        Args:
            model: As its endpoint or an embedded model is called.
            config: Caps and concurrency.
            name: Whose journal keeps the answers.
            settings: Where the journal is, and the endpoint.
            engine: Told how far it is.
            may_ask: False has the journal alone answer, wherever it comes from.
        """
        self._model = model
        self._config = config
        self._settings = settings
        self._engine = engine
        self._may_ask = may_ask
        self._path = journal_path(settings.outputs, name)
        self._embedded_address = ""

    def judge(self, records: Sequence[InstructionRecord]) -> dict[str, Judgement | None]:
        """Score each record, by id; None where no answer had scores, asked again too.

        Raises:
            JudgingError: A cap was reached, or an answer is missing and may not be asked for.
            PacaloomError: The judge cannot be had, or fails.
        """
        asked = list({record.id: record for record in records}.values())
        if not asked:
            return {}
        if not self._may_ask and not self._path.exists():
            raise self._make_missing_error(len(asked))
        # The cap is for these records: another day's have their own.
        run = f"judge/{self._model}/{short_id(sorted(record.id for record in asked))}"
        found: dict[str, Judgement | None] = {}
        with ExitStack() as engines, Journal(self._path) as journal:
            for attempt in range(ATTEMPTS):
                prompts = [render_judge_prompt(record, attempt) for record in asked]
                answers = self._answer(prompts, attempt, run, journal, engines)
                for record, answer in zip(asked, answers, strict=True):
                    found[record.id] = parse_judgement(answer.text)
                asked = [record for record in asked if found[record.id] is None]
        return found

    def ask(self, prompts: Sequence[Prompt]) -> list[str]:
        """Put other questions to the same judge, and return its answers in their order.

        Raises:
            PacaloomError: The judge cannot be had, or fails.
        """
        run = f"judge/{self._model}/{short_id([prompt.key(self._model) for prompt in prompts])}"
        # An engine that was started for earlier questions is gone with them.
        self._embedded_address = ""
        with ExitStack() as engines, Journal(self._path) as journal:
            return [one.text for one in self._answer(prompts, 0, run, journal, engines)]

    def _answer(
        self,
        prompts: Sequence[Prompt],
        attempt: int,
        run: str,
        journal: Journal,
        engines: ExitStack,
    ) -> list[Completion]:
        def connect(missing: int) -> Line:
            if not self._may_ask:
                raise self._make_missing_error(missing)
            return self._connect(run, journal, engines)

        try:
            with self._engine.progress("judge again" if attempt else "judge") as progress:
                return ask_all(prompts, self._model, journal, connect, progress)
        except BudgetSpentError as error:
            known = journal.get_all([prompt.key(self._model) for prompt in prompts])
            knob = error.cap.replace("-", "_")
            raise JudgingError(
                f"{known.count(None):,} of {len(known):,} records are not judged, so nothing is "
                f"published: judge.{knob} = {getattr(self._config, knob)} leaves no room for "
                "another request, restarts included. Raise it and run the same command again: "
                f"every answer so far is in {self._path}."
            ) from error

    def _connect(self, run: str, journal: Journal, engines: ExitStack) -> Line:
        teacher = choose_teacher(self._model, self._settings)
        commits = GroupCommits(journal)
        caps = Caps(max_requests=self._config.max_requests, max_usd=self._config.max_usd)
        budget = Budget(
            caps,
            self._find_price(teacher),
            ledger=RunLedger(commits, run),
            spent=journal.read_spending(run),
        )
        return Line(self._open(teacher, engines), budget, commits)

    def _find_price(self, teacher: TeacherChoice) -> Price | None:
        is_needed = self._config.max_usd is not None
        if teacher.embedded is not None:
            return Price(input=0.0, output=0.0) if is_needed else None
        price = find_teacher_price(teacher, own=None)
        if price is None and is_needed:
            raise JudgePriceError(
                f"judge.max_usd needs the price of {teacher.model!r} at {teacher.address}, and the "
                "price table has none. Set judge.max_requests instead."
            )
        return price

    def _open(self, teacher: TeacherChoice, engines: ExitStack) -> Endpoint:
        if teacher.embedded is not None:
            only = ListedEndpoint(self._start_embedded(teacher.embedded, engines), SecretStr(""))
            teacher = teacher._replace(endpoints=(only,))
        self._engine.say(f"Judge: {teacher.model} ({teacher.address})")
        return connect(teacher, Pace(self._config.concurrency), self._engine)

    def _start_embedded(self, model: EmbeddedModel, engines: ExitStack) -> str:
        """Start the engine at the first call; it serves the records that are asked again, too."""
        if not self._embedded_address:
            settings = self._settings
            with self._engine.progress(f"fetch {model.name}") as progress:
                gguf = fetch_model(
                    model, settings.cache, accepted_terms=settings.terms, progress=progress
                )
            options = EngineOptions(
                parallel=min(self._config.concurrency, _MOST_SLOTS), context_tokens=_SLOT_TOKENS
            )
            log = settings.outputs / "logs" / "judge.log"
            started = start_engine(gguf, model.name, options, log)
            self._embedded_address = engines.enter_context(started)
        return self._embedded_address

    def _make_missing_error(self, count: int) -> JudgingError:
        return JudgingError(
            f"The journal {self._path} lacks the answers of the judge {self._model!r} to {count:,} "
            "records, and none may be asked for here. Curate once with these settings, import the "
            "journal of whoever did, or compare with judge.model=null."
        )
