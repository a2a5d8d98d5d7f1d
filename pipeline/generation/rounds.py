"""The round loop: prompts from the pool, answers into the journal, drafts past ``admit``, repeat.

Self-Instruct's pool grows with the answers, so the order of arrival would change later prompts.
Rounds prevent it: the prompts of round r are drawn, by generators seeded with run seed, language,
r and ordinal, from the pool as it stood after round r - 1 - lag, and answers fold in by position.
While round r is awaited, ``lag`` later rounds are under way, so one slow answer leaves no endpoint
idle. A round that was drawn is always folded: what was asked is never thrown away, and a repeated
run finds every answer in the journal. Same seed tasks, config and journal: same bytes.

Cost: O(1) a draft beyond ``admit`` and one look-up in the journal a prompt.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

from pipeline.generation.background import BackgroundLoop
from pipeline.generation.budget import Budget
from pipeline.generation.config import GenerationConfig
from pipeline.generation.dispatch import Dispatcher, Endpoint
from pipeline.generation.journal import Journal
from pipeline.generation.planning import LanguagePlan, allot
from pipeline.generation.reports import GenerationResult, RoundReport, StopReason
from pipeline.generation.sampling import ExamplePool
from pipeline.generation.strategies.registry import STRATEGIES
from schemas.exchange import Completion, Prompt
from schemas.progress import Progress, no_progress
from schemas.records import Draft, InstructionRecord, Reason, Rejection, SeedTask

_REPORT_EVERY_S = 5.0


class _Round(NamedTuple):
    number: int
    plans: list[LanguagePlan]
    """The language of each prompt."""
    prompts: list[Prompt]
    known: list[Completion | None]
    """Answers that the journal had."""
    asked: Future[list[Completion | None]] | None
    """Answers to the other prompts, in order."""


class Generation:
    """One run. Use it in a ``with`` block, which ends what is under way and the thread behind it.

    Finished answers are in the journal whatever ends the block, so that the same run continues.
    """

    def __init__(
        self,
        seeds: Sequence[SeedTask],
        config: GenerationConfig,
        teacher_model: str,
        connect: Callable[[], Endpoint],
        journal: Journal,
        admit: Callable[[Draft], InstructionRecord | Rejection],
        progress: Progress = no_progress,
    ) -> None:
        """Prepare a run; nothing is asked before the first :meth:`advance`.

        Args:
            seeds: Seed tasks of at least the languages with a quota.
            config: Quotas, strategy, rounds and caps.
            teacher_model: Model name as the endpoint knows it; part of each answer's key.
            connect: Called once, at the first prompt whose answer is not in the journal, so that
                a repeated run needs no teacher. The run closes what it returns.
            journal: Stays open; the caller closes it.
            admit: Whether a draft joins the pool and counts for its quota. Called in fold order.
            progress: Told kept records against the sum of the quotas, after each round and every
                few seconds while one is awaited.

        Raises:
            SeedPoolError: A language has a quota and no seed task.
        """
        self._config = config
        self._teacher_model = teacher_model
        self._connect = connect
        self._journal = journal
        self._admit = admit
        self._progress = progress
        self._strategy = STRATEGIES[config.strategy]
        self._decoding = config.effective_decoding
        self._pools = {language: ExamplePool(seeds, language) for language in config.quota}
        self._plans = [
            LanguagePlan(
                language,
                quota,
                self._strategy.RECORDS_ASKED,
                config.patience,
                config.min_yield,
            )
            for language, quota in sorted(config.quota.items())
        ]
        self._budget = Budget(config.max_requests)
        self._loop: BackgroundLoop | None = None
        self._dispatcher: Dispatcher | None = None
        self._under_way: deque[_Round] = deque()
        self._drawn_prompt_count = 0
        self._drawn_round_count = 0
        self._drafts: list[Draft] = []
        self._admitted: list[InstructionRecord] = []
        self._reports: list[RoundReport] = []
        self._stopped_because: StopReason = "running"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def advance(self) -> RoundReport | None:
        """Run one round to its fold; None when the run is over.

        Raises:
            PacaloomError: The teacher refused or failed, or the journal could not be written.
        """
        if self._stopped_because != "running":
            return None
        self._draw_ahead()
        if not self._under_way:
            self._stopped_because = self._find_stop_reason()
            return None
        completions = self._await_answers(self._under_way[0])
        if completions is None:
            self._stopped_because = "max-requests"
            return None
        report = self._fold(self._under_way.popleft(), completions)
        self._draw_ahead()
        return report

    @property
    def result(self) -> GenerationResult:
        """What the run has made so far."""
        return GenerationResult(
            self._drafts,
            self._admitted,
            self._reports,
            self._budget.requests_sent,
            self._stopped_because,
            self._describe(),
        )

    def close(self) -> None:
        """Cancel what is under way, keep what has arrived, end the thread. Idempotent."""
        loop, self._loop = self._loop, None
        dispatcher, self._dispatcher = self._dispatcher, None
        if loop is None:
            return
        try:
            if dispatcher is not None:
                loop.submit(dispatcher.close()).result()
        finally:
            loop.close()

    def _draw_ahead(self) -> None:
        """Draw rounds until as many are under way as the lag allows beyond the awaited one."""
        while len(self._under_way) <= self._config.lag:
            count = self._config.prompts_per_round
            if self._config.max_requests is not None:
                count = min(count, self._config.max_requests - self._drawn_prompt_count)
            plans = allot(self._plans, count)
            if not plans:
                return
            self._under_way.append(self._ask(plans))

    def _ask(self, plans: list[LanguagePlan]) -> _Round:
        number = self._drawn_round_count
        prompts: list[Prompt] = []
        for ordinal, plan in enumerate(plans):
            seed = f"{self._config.random_seed}/{plan.language}/{number}/{ordinal}"
            rng = Random(seed)  # noqa: S311 - wanted: the same draws each time
            draw = self._pools[plan.language].draw(
                rng, self._config.examples_per_prompt, self._decoding
            )
            prompts.append(self._strategy.build(draw))
            plan.under_way += 1
        self._drawn_round_count += 1
        self._drawn_prompt_count += len(prompts)
        known = self._journal.get_all([prompt.key(self._teacher_model) for prompt in prompts])
        missing = [prompt for prompt, answer in zip(prompts, known, strict=True) if answer is None]
        return _Round(number, plans, prompts, known, self._submit(missing) if missing else None)

    def _submit(self, prompts: list[Prompt]) -> Future[list[Completion | None]]:
        if self._dispatcher is None:
            endpoint = self._connect()
            self._dispatcher = Dispatcher(endpoint, self._journal, self._budget)
        if self._loop is None:
            self._loop = BackgroundLoop()
        return self._loop.submit(self._dispatcher.answer_all(prompts))

    def _await_answers(self, pending: _Round) -> list[Completion] | None:
        """Wait for a round's answers; None when the budget left some prompts unasked."""
        asked = iter(self._await(pending.asked) if pending.asked else ())
        answers = [answer if answer is not None else next(asked) for answer in pending.known]
        complete = [answer for answer in answers if answer is not None]
        return complete if len(complete) == len(answers) else None

    def _await(self, asked: Future[list[Completion | None]]) -> list[Completion | None]:
        """Wait, telling how many answers have come: a round of a local teacher takes a minute."""
        while True:
            try:
                return asked.result(timeout=_REPORT_EVERY_S)
            except TimeoutError:
                if asked.done():
                    raise
                self._report_progress()

    def _fold(self, folded: _Round, completions: list[Completion]) -> RoundReport:
        rejected: Counter[Reason] = Counter()
        draft_count = 0
        for plan, prompt, completion in zip(folded.plans, folded.prompts, completions, strict=True):
            admissions: list[bool] = []
            for draft in self._strategy.parse(completion, prompt):
                self._drafts.append(draft)
                verdict = self._admit(draft)
                admissions.append(isinstance(verdict, InstructionRecord))
                if isinstance(verdict, InstructionRecord):
                    self._admitted.append(verdict)
                    self._pools[plan.language].add(verdict)
                else:
                    rejected[verdict.reason] += 1
            plan.fold_prompt(admissions)
            draft_count += len(admissions)
        for plan in self._plans:
            plan.judge_yield()
        report = RoundReport(
            number=folded.number,
            prompt_count=len(folded.prompts),
            from_journal_count=sum(answer is not None for answer in folded.known),
            draft_count=draft_count,
            admitted_count=draft_count - rejected.total(),
            rejected=dict(rejected),
            kept={plan.language: plan.admitted for plan in self._plans},
        )
        self._reports.append(report)
        self._report_progress()
        return report

    def _report_progress(self) -> None:
        note = ", ".join(plan.describe() for plan in self._plans)
        if self._dispatcher is not None:
            note += f", {self._dispatcher.answer_count} answers"
        self._progress(
            sum(min(plan.admitted, plan.quota) for plan in self._plans),
            sum(plan.quota for plan in self._plans),
            note,
        )

    def _find_stop_reason(self) -> StopReason:
        if all(plan.is_full for plan in self._plans):
            return "quotas-filled"
        return (
            "low-yield" if all(p.is_full or p.is_given_up for p in self._plans) else "max-requests"
        )

    def _describe(self) -> str:
        text = "; ".join(plan.describe() for plan in self._plans)
        if self._stopped_because == "max-requests":
            text += f"; the cap of {self._config.max_requests} requests is reached"
        return f"{text}."
