"""The round loop: conversations from the pool, answers into the journal, drafts past ``admit``.

Self-Instruct's pool grows with the answers, so the order of arrival would change later prompts.
Rounds prevent it: what round r asks is drawn, by generators seeded with run seed, language, r and
ordinal, from the pool as it stood after round r - 1 - lag, and answers fold in by position. While
round r is awaited, ``lag`` later rounds are under way, so one slow answer leaves no endpoint idle.
A round that was drawn is folded, and where the budget ended it, what of it was answered: nothing
that was paid for is thrown away, and a repeated run finds every answer in the journal. Same seed
tasks, config and journal: same bytes.

Cost: O(1) a draft beyond ``admit`` and one look-up in the journal a prompt. Drafts are handed on
and not kept; the pool keeps a bounded sample of what was admitted.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

from pipeline.generation.background import BackgroundLoop
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError
from pipeline.generation.budget.pilot import Pilot
from pipeline.generation.config import GenerationConfig, Price
from pipeline.generation.conversations import Conversation, recall
from pipeline.generation.dispatch import Dispatcher, Endpoint
from pipeline.generation.documents import Document
from pipeline.generation.journal.commits import GroupCommits
from pipeline.generation.journal.journal import Journal
from pipeline.generation.planning import Allotment, choose_next, make_plans, round_size
from pipeline.generation.reports import GenerationResult, RoundReport, StopReason
from pipeline.generation.sampling import ExamplePool
from pipeline.generation.strategies.registry import STRATEGIES
from pipeline.generation.strategies.strategy import Materials, Sampler
from schemas.progress import Progress, no_progress
from schemas.records import Draft, InstructionRecord, Language, Reason, Rejection, SeedTask

_REPORT_EVERY_S = 2.0


class Task(NamedTuple):
    """What is to be generated, from what, by whom: with the answers, all the result depends on."""

    config: GenerationConfig
    teacher: str
    """Model name as the endpoint knows it; part of each answer's key."""
    seeds: Sequence[SeedTask]
    """Of at least the languages with a quota."""
    documents: Sequence[Document] = ()
    """For the strategies that work from documents."""


class _Round(NamedTuple):
    number: int
    conversations: list[Conversation]
    asked: Future[None] | None
    """Settled when those that the journal could not complete have been answered."""


class Generation:
    """One run. Use it in a ``with`` block, which ends what is under way and the thread behind it.

    Finished answers are in the journal whatever ends the block, so that the same run continues.
    """

    def __init__(
        self,
        task: Task,
        journal: Journal,
        connect: Callable[[], Endpoint],
        admit: Callable[[Draft], InstructionRecord | Rejection],
        keep: Callable[[Draft], None],
        *,
        budget: Budget | None = None,
        price: Price | None = None,
        commits: GroupCommits | None = None,
        progress: Progress = no_progress,
    ) -> None:
        """Prepare a run; nothing is asked before the first :meth:`advance`.

        Args:
            task: What is to be generated.
            journal: Stays open; the caller closes it.
            connect: Called once, at the first prompt whose answer is not in the journal, so that
                a repeated run needs no teacher. The run closes what it returns.
            admit: Whether a draft joins the pool and counts for its quota. Called in fold order.
            keep: Takes every draft, in fold order.
            budget: What may be spent; without one there is no cap.
            price: What the forecast of the cost goes by; without one there is none.
            commits: The journal's writer, where the budget's ledger shares it.
            progress: Told kept records against the sum of the quotas, after each round and every
                few seconds while one is awaited.

        Raises:
            SeedPoolError: A language has a quota and no seed task.
        """
        self._config = task.config
        self._task = task
        self._journal = journal
        self._connect = connect
        self._admit = admit
        self._keep = keep
        self._budget = budget or Budget()
        self._commits = commits or GroupCommits(journal)
        self._progress = progress
        self._pools = {
            language: ExamplePool(task.seeds, language, task.config.emphasis_in(language))
            for language, quota in task.config.quota.items()
            if quota
        }
        self._samplers: dict[tuple[Language, str], Sampler] = {}
        self._plans = make_plans(
            task.config, {name: STRATEGIES[name].records_asked for name in task.config.mix}
        )
        self._loop: BackgroundLoop | None = None
        self._dispatcher: Dispatcher | None = None
        self._under_way: deque[_Round] = deque()
        self._unanswered: list[str] = []
        self._drawn_count = 0
        self._drawn_round_count = 0
        self._draft_count = 0
        self._pilot = Pilot(task.config, price)
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
        awaited = self._under_way.popleft()
        if awaited.asked is not None:
            self._await(awaited.asked)
        report = self._fold(awaited)
        # Only a spent budget leaves a round incomplete. That it did is what the fold shows and not
        # when it was noticed, so that a replay draws the same rounds.
        for conversation in awaited.conversations:
            self._unanswered += [prompt.key(self._task.teacher) for prompt in conversation.asking]
        self._draw_ahead()
        return report

    @property
    def result(self) -> GenerationResult:
        """What the run has made so far."""
        kept: dict[Language, int] = {plan.language: plan.admitted for plan in self._plans}
        return GenerationResult(
            self._draft_count,
            kept,
            self._reports,
            self._pilot.usage,
            self._budget.requests_sent,
            self._stopped_because,
            self._describe(),
            self._pilot.forecast,
            self._pilot.total(kept, self._budget.spent.seconds),
            tuple(self._unanswered),
        )

    def close(self) -> None:
        """Cancel what is under way, keep what has arrived, end the thread. Idempotent."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            if self._dispatcher is not None:
                loop.submit(self._dispatcher.close()).result()
        finally:
            loop.close()

    def _draw_ahead(self) -> None:
        """Draw rounds until as many are under way as the lag allows beyond the awaited one."""
        while not self._is_ending and len(self._under_way) <= self._config.lag:
            conversations = self._draw_round()
            if not conversations:
                return
            recall(conversations, self._journal, self._task.teacher)
            missing = [one for one in conversations if not one.is_complete]
            self._under_way.append(
                _Round(
                    self._drawn_round_count,
                    conversations,
                    self._submit(missing) if missing else None,
                )
            )
            self._drawn_round_count += 1

    @property
    def _is_ending(self) -> bool:
        """Whether only what is under way is still folded."""
        pilot_done = self._config.pilot_only and self._pilot.forecast is not None
        return bool(self._unanswered) or pilot_done

    @property
    def _budget_end(self) -> BudgetSpentError | None:
        return self._dispatcher.budget_end if self._dispatcher else None

    def _draw_round(self) -> list[Conversation]:
        size = round_size(self._config, self._drawn_count)
        given: Counter[Language] = Counter()
        drawn: list[Conversation] = []
        while len(drawn) < size and (next_one := choose_next(self._plans, given)) is not None:
            conversation = self._draw(next_one, given.total())
            if conversation is None:
                next_one.strategy.is_used_up = True
                continue
            given[next_one.language.language] += 1
            drawn.append(conversation)
        self._drawn_count += len(drawn)
        return drawn

    def _draw(self, place: Allotment, ordinal: int) -> Conversation | None:
        plan = place.strategy
        strategy = STRATEGIES[plan.strategy]
        seed = f"{self._config.random_seed}/{plan.language}/{self._drawn_round_count}/{ordinal}"
        rng = Random(seed)  # noqa: S311 - wanted: the same draws each time
        draw = self._sampler(place).draw(rng, self._config.decoding or strategy.decoding)
        if draw is None:
            return None
        plan.under_way += 1
        return Conversation(plan, strategy, draw)

    def _sampler(self, place: Allotment) -> Sampler:
        key = (place.strategy.language, place.strategy.strategy)
        if key not in self._samplers:
            materials = Materials(
                language=place.strategy.language,
                teacher=self._task.teacher,
                pool=self._pools[place.strategy.language],
                seeds=self._task.seeds,
                documents=self._task.documents,
                examples_per_prompt=self._config.examples_per_prompt,
                emphasis=self._config.emphasis_in(place.strategy.language),
            )
            self._samplers[key] = STRATEGIES[place.strategy.strategy].make_sampler(materials)
        return self._samplers[key]

    def _submit(self, conversations: list[Conversation]) -> Future[None]:
        if self._loop is None:
            self._loop = BackgroundLoop()
        if self._dispatcher is None:
            self._dispatcher = Dispatcher(self._connect(), self._commits, self._budget)
        return self._loop.submit(self._dispatcher.hold(conversations))

    def _await(self, asked: Future[None]) -> None:
        """Wait, telling how many answers have come: a round of a local teacher takes a minute."""
        while True:
            try:
                return asked.result(timeout=_REPORT_EVERY_S)
            except TimeoutError:
                if asked.done():  # in this very moment, or with a TimeoutError of its own
                    return asked.result()
                self._report_progress()

    def _fold(self, folded: _Round) -> RoundReport:
        rejected: Counter[Reason] = Counter()
        admitted = 0
        complete = [one for one in folded.conversations if one.is_complete]
        for conversation in complete:
            verdicts = self._fold_conversation(conversation)
            admitted += verdicts.count(None)
            rejected.update(reason for reason in verdicts if reason is not None)
        for language in self._plans:
            for plan in language.strategies:
                if not language.is_full:
                    plan.judge_yield()
        report = RoundReport(
            number=folded.number,
            conversation_count=len(complete),
            draft_count=admitted + rejected.total(),
            admitted_count=admitted,
            rejected=dict(rejected),
            kept={plan.language: plan.admitted for plan in self._plans},
        )
        self._draft_count += report.draft_count
        self._pilot.consider(self._plans)
        self._reports.append(report)
        self._report_progress()
        return report

    def _fold_conversation(self, conversation: Conversation) -> list[Reason | None]:
        """Judge its drafts; return each one's reason of rejection, None for the admitted."""
        plan = conversation.plan
        verdicts: list[Reason | None] = []
        records: list[InstructionRecord] = []
        for draft in conversation.read_drafts():
            self._keep(draft)
            verdict = self._admit(draft)
            if isinstance(verdict, InstructionRecord):
                records.append(verdict)
                self._pools[plan.language].add(verdict)
                verdicts.append(None)
            else:
                verdicts.append(verdict.reason)
        plan.fold(verdicts)
        self._samplers[plan.language, plan.strategy].fold(conversation.draw, records)
        self._pilot.observe(plan, conversation.count_effort(), len(verdicts), len(records))
        return verdicts

    def _report_progress(self) -> None:
        self._progress(
            sum(min(plan.admitted, plan.quota) for plan in self._plans),
            sum(plan.quota for plan in self._plans),
            self._describe_progress(),
        )

    def _find_stop_reason(self) -> StopReason:
        if all(plan.is_full for plan in self._plans):
            return "quotas-filled"
        if self._budget_end is not None:
            return self._budget_end.cap
        return "pilot-done" if self._is_ending else "low-yield"

    def _describe_progress(self) -> str:
        kept = ", ".join(f"{p.language} {p.admitted:,}/{p.quota:,}" for p in self._plans)
        spent = self._budget.spent
        parts = [kept, f"{self._budget.requests_sent:,} requests"]
        tokens = spent.prompt_tokens + spent.completion_tokens
        if tokens:
            parts.append(f"{tokens:,} tokens")
        if spent.usd:
            parts.append(f"${spent.usd:,.2f}")
        if self._draft_count:
            admitted = sum(plan.admitted for plan in self._plans)
            parts.append(f"{admitted / self._draft_count:.0%} kept")
        return ", ".join(parts)

    def _describe(self) -> str:
        text = "; ".join(plan.describe() for plan in self._plans)
        return f"{text}. {self._budget_end}" if self._budget_end else f"{text}."
