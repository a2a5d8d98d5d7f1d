"""How records are judged by a teacher and by the student's own perplexity."""

from typing import Self

from pydantic import Field, model_validator

from schemas.frozen import Frozen


class JudgeConfig(Frozen):
    """Who judges, what must be reached, and what it may cost. By default nobody is asked."""

    model: str | None = None
    """Teacher that scores each record, as its endpoint or an embedded model is called; it costs a
    request a record. None asks nobody."""
    min_score: float = Field(default=3.0, ge=1, le=5)
    """Mean of helpfulness, correctness and clarity, 1 to 5 each, below which a record is dropped.
    Raise it for fewer and better records; a small judge gives 4 and 5 to nearly everything."""
    top_share: float = Field(default=1.0, gt=0, le=1)
    """Share of each language's records to keep (a fraction, rounded up), the best first, of those
    that reach the threshold. Needs a judge's model."""
    audit: int = Field(default=40, ge=0)
    """Records dropped by the rules that are scored as well, to report how far judge and rules
    agree. They stay dropped; each costs a request."""
    max_requests: int | None = Field(default=None, ge=1)
    """Requests that judging these records may take, over restarts. Nothing is published before all
    are judged."""
    max_usd: float | None = Field(default=None, gt=0)
    """Dollars that judging these records may cost, over restarts; for models of known price."""
    concurrency: int = Field(default=32, ge=1)
    """Requests at once, at most."""
    student: str | None = None
    """Student whose perplexity tells how difficult a record is: an embedded model's name or a
    folder. None measures nothing."""
    min_difficulty: float = Field(default=0.0, ge=0)
    """Instruction-following difficulty below which a record is dropped: perplexity of the output
    given the task, over that of the output alone. Near 0 the task gives the output away."""
    max_difficulty: float = Field(default=1.0, gt=0)
    """The same above which it is dropped: over 1 the task makes the output less likely, so the two
    hardly belong together (arXiv:2308.12032, section 2)."""

    @model_validator(mode="after")
    def _knobs_have_a_use(self) -> Self:
        if self.top_share < 1 and self.model is None:
            raise ValueError("top_share chooses by scores: name the judge with model, too")
        if self.min_difficulty > self.max_difficulty:
            raise ValueError("min_difficulty is above max_difficulty, which drops every record")
        return self
