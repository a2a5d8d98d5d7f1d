"""What people are told who are not watching: a short title, what happened, and what to do next."""

import re
from typing import NamedTuple

from flows.approval import Question
from flows.milestones import BudgetMostlyUsed, Milestone, RunFailed, StudentJudged
from flows.observing.identity import Identity
from flows.observing.masking import Mask
from flows.settings import Settings

_LONGEST_TITLE = 150
_LONGEST_PART = 1_200

_MENTION = re.compile(r"@(?=everyone|here|channel|all)", re.IGNORECASE)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "[": "⟦", "]": "⟧", "`": "'"})


class News(NamedTuple):
    """One notification."""

    title: str
    body: str
    is_failure: bool = False


class Writer:
    """Writes the news of one run, with the way to the run."""

    def __init__(self, identity: Identity, place: str, mask: Mask) -> None:
        """Take what all news of a run have in common.

        Args:
            identity: The run.
            place: Where more can be read.
            mask: Takes the secrets out.
        """
        self._mask = mask
        self._run = identity.run
        name = identity.name
        self._subject = f"{identity.flow} of {name}" if name else identity.flow
        self._origin = mask.hide(f"Run {identity.run}: {place}")

    def tell(self, milestone: Milestone) -> News | None:
        """Return what is to be told of a milestone; None of those that need nobody."""
        if isinstance(milestone, RunFailed):
            return self.tell_end("failed", milestone.message)
        if isinstance(milestone, BudgetMostlyUsed):
            return self._write(
                f"{milestone.name} has used {milestone.used / milestone.limit:.0%} of "
                f"max_{milestone.cap}",
                f"{_show(milestone.used)} of {_show(milestone.limit)} "
                f"{'US dollars' if milestone.cap == 'usd' else milestone.cap}. The run ends at "
                "the cap, and every answer is kept.",
                f"To let it go on, raise max_{milestone.cap} and run it again.",
            )
        if isinstance(milestone, StudentJudged) and milestone.verdict in {"hold", "reject"}:
            return self._write(
                f"{milestone.verdict}: {milestone.model}",
                f"Against {milestone.baseline}: {'; '.join(milestone.reasons)}",
                f"The champion stays. Every answer: {milestone.evaluation}/report.html",
            )
        return None

    def tell_end(self, end: str, message: str) -> News:
        """Return what is to be told of a run that ``failed`` or ``crashed``."""
        return self._write(
            f"{self._subject} {end}",
            message,
            "What was finished is kept: running it again continues.",
            is_failure=True,
        )

    def tell_of_standstill(self, message: str) -> News:
        """Return what is to be told when the next stage of a chain does not start by itself."""
        title = f"{self._subject}: what follows has not started"
        return self._write(title, message, "The run itself goes on.", is_failure=True)

    def ask(self, question: Question, wait_hours: float) -> News:
        """Return the question that a run waits with."""
        return self._write(
            f"approval wanted: {question.title}",
            question.grounds,
            "Answer it on the run's page in Prefect (Resume), or where the project lies with "
            f"./pacaloom answer {self._run} yes (or no). It waits for {wait_hours:g} hours, and "
            "fails without an answer.",
        )

    def _write(self, title: str, what: str, step: str, *, is_failure: bool = False) -> News:
        what = self._clean(what)[:_LONGEST_PART]
        body = "\n\n".join((what, self._clean(step), self._origin))
        # A name in unchecked parameters may have lines; a title is a header of a mail.
        heading = " ".join(f"Pacaloom: {self._clean(title)}".split())
        return News(heading[:_LONGEST_TITLE], body, is_failure)

    def _clean(self, text: str) -> str:
        # In this order: a secret may have signs that are replaced.
        return neutralize(self._mask.hide(text))


def find_place(settings: Settings, run_id: str) -> str:
    """Return where more can be read: the run's page, or the log of a plain command.

    Args:
        settings: Say where Prefect's pages are.
        run_id: Of the Prefect flow run; empty for a plain command.
    """
    pages = settings.prefect_ui_url or (settings.prefect_api_url or "").removesuffix("/api")
    if run_id and pages:
        return f"{pages.rstrip('/')}/runs/flow-run/{run_id}"
    return str(settings.outputs / "logs" / "runs.jsonl")


def neutralize(text: str) -> str:
    """Take from a text what a chat or mail program would act on: mentions, tags, links, pictures.

    Errors quote what an endpoint said. Backslashes as in Markdown would be shown by half of them.
    """
    return _MENTION.sub("＠", _UNSEEN.sub("�", text.translate(_LOOKALIKES)))


def _show(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:,.2f}".rstrip("0").rstrip(".")
