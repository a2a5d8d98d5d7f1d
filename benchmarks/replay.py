"""A finished run repeated: how long it takes when the journal answers everything.

First the journal is built: a run up to its quotas with a teacher inside this process, which answers
at once and from the prompt alone. Then the same run is repeated with a teacher that must not be
asked, as `./pacaloom generate` would: seed tasks of the project, curation's per-record stages as
``admit``, every draft written to a file. Only the repeat is timed, from opening the journal.

    .venv/bin/python -m benchmarks.replay --records 52000 --languages en
    .venv/bin/python -m benchmarks.replay --records 2000 --profile
"""

import argparse
import cProfile
import hashlib
import json
import pstats
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.endpoint import ROOT
from pipeline.curation.funnel import Admission
from pipeline.generation.budget.budget import Budget
from pipeline.generation.config import GenerationConfig
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, Task
from pipeline.generation.seeds import load_seed_tasks
from schemas.exchange import Completion, Prompt, Usage
from schemas.records import LANGUAGES, Draft, Language

_MODEL = "scripted"
_MOST_SECONDS = 60.0
_PROFILE_LINES = 25


_WORD = re.compile(r"[a-z]{2,}|[가-힣]{2,}")


class Scribe:
    """A teacher inside the process, whose words are those of the seed tasks.

    A word of rank r is drawn with odds of about 1 / r, as in real text (Zipf): curation compares a
    record with those that share its rare words, so the odds decide what a comparison costs.
    """

    def __init__(self) -> None:
        self._words = {language: _rank_words(language) for language in LANGUAGES}

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Answer with a record that no other prompt gets."""
        key = prompt.key(_MODEL)
        rng = random.Random(key)  # noqa: S311 - the same answer each time
        record = {
            "instruction": self._write(rng, prompt.language, rng.randint(8, 20)),
            "input": "",
            "output": self._write(rng, prompt.language, rng.randint(20, 60)),
        }
        text = json.dumps(record, ensure_ascii=False)
        usage = Usage(prompt_tokens=300, completion_tokens=80)
        (await budget.reserve(prompt)).settle(usage)
        return Completion(id=key, model=_MODEL, text=text, finish_reason="stop", usage=usage)

    async def close(self) -> None:
        """Nothing is open."""

    def _write(self, rng: random.Random, language: Language, count: int) -> str:
        words = self._words[language]
        drawn = [words[int(len(words) ** rng.random()) - 1] for _ in range(count)]
        return " ".join(drawn).capitalize() + "."


def _rank_words(language: Language) -> list[str]:
    text = (ROOT / f"seeds/{language}.jsonl").read_text("utf-8").lower()
    return [word for word, _ in Counter(_WORD.findall(text)).most_common()]


class Made(NamedTuple):
    """What a run made."""

    admitted: int
    drafts: int
    requests: int
    seconds: float
    cpu_s: float
    """Of one thread; beside a busy machine it says more than the wall."""
    sha256: str
    """Of the drafts' file."""
    rejected: Counter[str]


def run(
    records: int, languages: Sequence[Language], folder: Path, connect: Callable[[], Endpoint]
) -> Made:
    """Run to the quotas, as many records in each language."""
    started, started_cpu = time.perf_counter(), time.process_time()
    seeds = [*load_seed_tasks(ROOT / "seeds/en.jsonl"), *load_seed_tasks(ROOT / "seeds/ko.jsonl")]
    quota = -(-records // len(languages))
    config = GenerationConfig(quota=dict.fromkeys(languages, quota))
    admission = Admission(seeds)
    path = folder / "drafts.jsonl"
    rejected: Counter[str] = Counter()
    with Journal(folder / "journal.sqlite") as journal, path.open("wb") as file:

        def keep(draft: Draft) -> None:
            file.write(draft.model_dump_json().encode() + b"\n")

        with Generation(
            Task(config, _MODEL, seeds), journal, connect, admission.admit, keep
        ) as generation:
            while (report := generation.advance()) is not None:
                rejected.update(report.rejected)
            result = generation.result
    return Made(
        sum(result.admitted.values()),
        result.draft_count,
        result.teacher_requests,
        time.perf_counter() - started,
        time.process_time() - started_cpu,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        rejected,
    )


def refuse() -> Endpoint:
    """Stand for a teacher that a finished run does not need."""
    raise RuntimeError("the repeated run asked for its teacher")


def replay(arguments: argparse.Namespace, folder: Path) -> Made:
    """Repeat the run, under the profiler if that is wanted."""
    if not arguments.profile:
        return run(arguments.records, arguments.languages, folder, refuse)
    profile = cProfile.Profile()
    made = profile.runcall(run, arguments.records, arguments.languages, folder, refuse)
    statistics = pstats.Stats(profile)
    statistics.sort_stats("cumulative").print_stats(_PROFILE_LINES)
    statistics.sort_stats("tottime").print_stats(_PROFILE_LINES)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    arguments = parser.parse_args()
    (ROOT / "outputs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "outputs") as name:
        built = run(arguments.records, arguments.languages, Path(name), Scribe)
        print(f"Built in {built.seconds:.1f} s; rejected: {dict(built.rejected)}.", flush=True)
        made = replay(arguments, Path(name))
        size_mb = (Path(name) / "journal.sqlite").stat().st_size / 1e6
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    is_same = made[:2] == built[:2] and made.sha256 == built.sha256
    print(
        "| records | drafts | requests | same drafts | wall s | CPU-s | journal MB | RSS MB | aim |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {made.admitted:,} | {made.drafts:,} | {made.requests} | {'yes' if is_same else 'no'} "
        f"| {made.seconds:.1f} | {made.cpu_s:.1f} | {size_mb:,.0f} | {rss_mb:,.0f} "
        f"| 0 requests, {_MOST_SECONDS:g} s at 52,000 |"
    )
    sys.exit(0 if is_same and not made.requests else 1)


if __name__ == "__main__":
    main()
