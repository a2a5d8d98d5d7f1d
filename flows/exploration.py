"""Ask what curation would keep under other knobs: nothing is published and nothing is requested.

The drafts are curated once with the settings as they are and once for each variant; what a draft
says by itself is asked again only where the variant touches schema, language or rules.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import yaml
from pydantic import JsonValue, ValidationError

from flows.engine import Engine
from flows.outcomes import ExploreOutcome, VariantOutcome
from flows.parameters import CurateParams, ExploreParams, part_of
from flows.settings import Settings
from flows.steps.curation import open_workbench
from flows.steps.workbench import Workbench
from pipeline.curation.config import CurationConfig
from pipeline.curation.shards import Examination, Finding
from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.identity import digest
from schemas.progress import Progress
from schemas.records import (
    LANGUAGES,
    Draft,
    InstructionRecord,
    Language,
    Provenance,
    Reason,
    Rejection,
    StageResult,
)
from schemas.storage import write_jsonl

_KNOB = re.compile(r"[a-z_]+(?:\.[a-z_]+)*")
_SHOWN_CHARACTERS = 80


class KnobError(UserError):
    """A knob does not exist, or does not take the value."""


class Variant(NamedTuple):
    """Knobs, by their dotted names, and what they are set to."""

    changes: dict[str, JsonValue]
    config: CurationConfig


class DraftDifference(Frozen):
    """One draft that a variant treats in another way."""

    id: str
    language: Language
    change: str
    """``gained``, ``lost``, or ``other reason``."""
    before: Reason | None
    """None for a kept record."""
    after: Reason | None
    detail: str
    """Of the rejection, before or after."""
    instruction: str
    output: str


def explore(params: ExploreParams, settings: Settings, engine: Engine) -> ExploreOutcome:
    """Curate the drafts as they are and under each variant, and compare draft by draft.

    Raises:
        KnobError: A knob does not exist, or does not take the value.
    """
    config = part_of(params, CurationConfig)
    variants = read_variants(params.what_if, params.sweep, config)
    bench = open_workbench(part_of(params, CurateParams), settings, engine)
    bench = bench._replace(examine=_remembering(bench.examine))
    with engine.progress("curate as it is") as progress:
        before = bench.curate(config, progress, may_ask=False).result
    outcomes = [_try(variant, before, bench, params.name, settings, engine) for variant in variants]
    return ExploreOutcome(
        name=params.name,
        generated=len(bench.drafts),
        kept=len(before.kept),
        kept_by_language=_count_languages(before.kept),
        variants=tuple(outcomes),
    )


def read_variants(
    what_if: Sequence[str], sweep: str | None, config: CurationConfig
) -> list[Variant]:
    """Read ``KNOB=VALUE`` changes, made together, and a ``KNOB=V1,V2,…`` sweep, one after another.

    Raises:
        KnobError: A knob does not exist, or does not take the value.
    """
    variants: list[Variant] = []
    if what_if:
        changes: dict[str, JsonValue] = {}
        for change in what_if:
            knob, value = _split(change)
            if knob in changes:
                raise KnobError(
                    f"{knob} is changed twice; --sweep {knob}=… compares several values."
                )
            changes[knob] = _read(knob, value)
        variants.append(_change(config, changes))
    if sweep is not None:
        knob, text = _split(sweep)
        values = _read(knob, f"[{text}]")
        if not isinstance(values, list) or not values:
            raise KnobError(
                f"{knob}: wanted values to sweep, such as --sweep novelty.threshold=0.6,0.7,0.8, "
                f"found {_shorten(sweep)}."
            )
        variants += [_change(config, {knob: value}) for value in values]
    return variants


def _split(text: str) -> tuple[str, str]:
    """Take KNOB and VALUE apart; a knob may be written as its flag is."""
    knob, equals, value = text.partition("=")
    knob = knob.strip().replace("-", "_")
    if not equals or not _KNOB.fullmatch(knob):
        raise KnobError(
            f"Wanted KNOB=VALUE such as novelty.threshold=0.8, found {_shorten(text)}. "
            "The knobs are the flags of `./pacaloom curate --help`."
        )
    return knob, value


def _read(knob: str, text: str) -> JsonValue:
    try:
        return yaml.safe_load(text)
    # A date such as 2001-99-01 and 3,000 brackets are no YAML errors to PyYAML.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise KnobError(f"{knob}: {_shorten(text)} is no value that YAML can read.") from error


def _change(config: CurationConfig, changes: Mapping[str, JsonValue]) -> Variant:
    """Set the knobs; a single value is a list of one where the knob takes a list."""
    values = config.model_dump(mode="json")
    for knob, value in changes.items():
        *path, last = knob.split(".")
        inner = values
        for name in path:
            inner = inner.get(name)
            if not isinstance(inner, dict):
                raise _unknown(knob, values)
        if last not in inner:
            raise _unknown(knob, values)
        is_one_of_many = isinstance(inner[last], list) and not isinstance(value, list)
        inner[last] = [value] if is_one_of_many else value
    try:
        return Variant(dict(changes), CurationConfig.model_validate(values))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        knob = ".".join(map(str, fault["loc"]))
        raise KnobError(f"{knob}: {fault['msg']}; found {fault['input']!r}.") from error


def _shorten(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _unknown(knob: str, values: Mapping[str, object]) -> KnobError:
    knobs = sorted(
        f"{stage}.{name}"
        for stage, knobs in values.items()
        if isinstance(knobs, dict)
        for name in knobs
    )
    return KnobError(f"There is no knob {knob!r}. There are: stage, {', '.join(knobs)}.")


def _remembering(examine: Examination) -> Examination:
    """Examine the drafts once for all variants that do not touch schema, language or rules."""
    known: dict[str, list[Finding]] = {}

    def remember(
        drafts: Sequence[Draft], config: CurationConfig, progress: Progress
    ) -> list[Finding]:
        asked = [stage for stage in ("language", "rules") if stage in config.stage]
        parts = (config.validation, config.language, config.rules)
        key = digest(asked, *(part.model_dump(mode="json") for part in parts))
        if key not in known:
            known[key] = examine(drafts, config, progress)
        return known[key]

    return remember


def _try(
    variant: Variant,
    before: StageResult,
    bench: Workbench,
    name: str,
    settings: Settings,
    engine: Engine,
) -> VariantOutcome:
    label = ", ".join(f"{knob}={value}" for knob, value in variant.changes.items())
    with engine.progress(f"curate with {label}") as progress:
        after = bench.curate(variant.config, progress, may_ask=False).result
    differences = compare(before, after)
    changes = [difference.change for difference in differences]
    path = settings.outputs / "explorations" / f"{name}-{digest(variant.changes)[:12]}.jsonl"
    write_jsonl(path, differences)
    return VariantOutcome(
        changes=variant.changes,
        kept=len(after.kept),
        kept_by_language=_count_languages(after.kept),
        gained=changes.count("gained"),
        lost=changes.count("lost"),
        other_reason=changes.count("other reason"),
        differences=path,
    )


def compare(before: StageResult, after: StageResult) -> list[DraftDifference]:
    """Name every draft that is kept in one and not in the other, or dropped for another reason."""
    old, new = _by_origin(before), _by_origin(after)
    differences: list[DraftDifference] = []
    for origin, now in new.items():
        then = old[origin]
        earlier, later = _reason(then), _reason(now)
        if earlier == later:
            continue
        change = "lost" if earlier is None else "gained" if later is None else "other reason"
        shown = now if isinstance(now, Rejection) else then
        draft = shown.draft if isinstance(shown, Rejection) else shown
        differences.append(
            DraftDifference(
                id=draft.id,
                language=draft.language,
                change=change,
                before=earlier,
                after=later,
                detail=shown.detail if isinstance(shown, Rejection) else "",
                instruction=draft.instruction,
                output=draft.output,
            )
        )
    return differences


def _reason(verdict: InstructionRecord | Rejection) -> Reason | None:
    return verdict.reason if isinstance(verdict, Rejection) else None


_Origin = tuple[Provenance, str]


def _by_origin(result: StageResult) -> dict[_Origin, InstructionRecord | Rejection]:
    """Tell drafts apart by where they stood; the same text may come twice."""
    return {
        **{(record.provenance, record.id): record for record in result.kept},
        **{(one.draft.provenance, one.draft.id): one for one in result.dropped},
    }


def _count_languages(kept: Sequence[InstructionRecord]) -> dict[Language, int]:
    return {language: sum(one.language == language for one in kept) for language in LANGUAGES}
