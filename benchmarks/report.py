"""Build, open and use the page of a large version.

Records have real instructions and outputs that are recombined from others, of the lengths that
Alpaca's and KoAlpaca's have, three in ten of them rejected, each with a journal's prompt and answer
behind it. The figures in Chromium are what a reader waits for: from opening the file to the first
paint, from a key in the search field to the table drawn anew, and between two frames of scrolling.

    python -m benchmarks.report [--data ../shared/data/corpora] [--rows 5000 --rows 50000]
"""

import argparse
import gzip
import json
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

from pipeline.publishing.edition import Edition
from pipeline.publishing.report.report import write_report
from pipeline.publishing.splits import Splits
from pipeline.publishing.statistics.figures import VersionStatistics
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from schemas.judgements import Assessment, Grade, Judgement
from schemas.manifest import DatasetManifest
from schemas.records import (
    Draft,
    InstructionRecord,
    Language,
    Neighbour,
    Provenance,
    Reason,
    Rejection,
    Stage,
    TaskType,
)

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUERIES = {
    "English": ("w", "wr", "write a", "python", "summar", "explain the", "zebra"),
    "Hangul": ("서", "서우", "서울", "설명해", "주세", "한국어 문장", "없는낱말입니"),
    "initials": ("ㅅ", "ㅅㅇ", "ㅅㅁ", "ㅎㄱㅇ", "ㅁㅈㅇ", "ㄱㅅㅎㄴㄷ"),
}
_DROPS: tuple[tuple[Stage, Reason], ...] = (
    ("schema", "truncated"),
    ("language", "wrong-language-output"),
    ("rules", "placeholder"),
    ("rules", "refusal"),
    ("novelty", "repeat"),
    ("near-duplicate", "near-duplicate"),
    ("judge", "low-score"),
)
_TASKS: tuple[TaskType, ...] = ("classification", "rewriting", "code", "explanation", "reasoning")
_SYSTEM = (
    "You invent varied tasks for an assistant. Each is a JSON object.\n"
    '"instruction": what a person asks for, clear by itself.\n'
    '"input": the text or data to work on, written out in full; "" if none is needed.\n'
    '"output": the correct, finished answer to the instruction, at most 120 words.'
)


class _Task(NamedTuple):
    """What is made up of one row."""

    language: Language
    instruction: str
    input: str
    output: str

    def to_line(self) -> str:
        """Write it as the teacher would."""
        texts = {"instruction": self.instruction, "input": self.input, "output": self.output}
        return json.dumps(texts, ensure_ascii=False)


class _Shelf:
    """The exchanges behind the records, made when they are asked for, as a journal's are read."""

    def __init__(self, tasks: Sequence[_Task], seed_lines: Sequence[str]) -> None:
        self._tasks = tasks
        self._seed_lines = seed_lines

    def find(self, completion_id: str) -> Exchange:
        """Make the prompt with three examples and the answer with one record."""
        number = int(completion_id, 16)
        draw = random.Random(number)  # noqa: S311
        # Two seed tasks and a record of the pool, as Self-Instruct shows them.
        pool = self._tasks[draw.randrange(max(1, number))].to_line()
        examples = [*draw.sample(list(self._seed_lines), 2), pool]
        turns = [Message(role="system", content=_SYSTEM)]
        for example in examples:
            turns.append(Message(role="user", content="New task. Kind: practical writing."))
            turns.append(Message(role="assistant", content=example))
        turns.append(Message(role="user", content="New task. Kind: explanation."))
        task = self._tasks[number]
        prompt = Prompt(
            messages=tuple(turns),
            decoding=Decoding(),
            strategy="structured",
            language=task.language,
        )
        completion = Completion(
            id=completion_id, model="teacher", text=task.to_line(), finish_reason="stop"
        )
        return Exchange(prompt, completion)


def make_edition(row_count: int, corpora: Path) -> Edition:
    """Make up a version: half English, half Korean, three in ten rows rejected."""
    draw = random.Random(row_count)  # noqa: S311
    texts: dict[Language, list[str]] = {
        "en": _read_texts(corpora / "en_instructions.jsonl.gz"),
        "ko": _read_texts(corpora / "ko_instructions.jsonl.gz"),
    }
    tasks = [
        _make_task(("en", "ko")[number % 2], number, texts, draw) for number in range(row_count)
    ]
    kept: list[InstructionRecord] = []
    rejected: list[Rejection] = []
    for number, task in enumerate(tasks):
        origin = Provenance(
            strategy="structured",
            teacher="teacher",
            completion_id=f"{number:016x}",
            task_type=draw.choice(_TASKS),
            seed_ids=(f"{task.language}-{number % 175:03d}",),
        )
        draft = Draft(**task._asdict(), provenance=origin)
        if draw.random() < 0.3:
            stage, reason = draw.choice(_DROPS)
            detail = f"made up for the benchmark: {reason}"
            rejected.append(Rejection(draft=draft, stage=stage, reason=reason, detail=detail))
        else:
            kept.append(InstructionRecord(**task._asdict(), provenance=origin))
    shelf = _Shelf(tasks, [tasks[n].to_line() for n in range(min(175, row_count))])
    validation = max(1, len(kept) // 10)
    return Edition(
        manifest=_make_manifest(kept, rejected),
        splits=Splits(kept[validation:], kept[:validation]),
        rejected=rejected,
        assessments={one.id: _make_assessment(draw) for one in kept},
        nearest={
            one.id: Neighbour(other.id, draw.betavariate(3, 6))
            for one, other in zip(kept, reversed(kept), strict=True)
        },
        seeds={},
        find_exchange=shelf.find,
        statistics=VersionStatistics(languages={}, rounds=()),
        difference=None,
    )


def _read_texts(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [text for line in lines if (text := json.loads(line)["instruction"].strip())]


def _make_task(
    language: Language, number: int, texts: dict[Language, list[str]], draw: random.Random
) -> _Task:
    """Alpaca's outputs have about 270 characters; Korean says the same in half of that."""
    own = texts[language]
    wanted = draw.expovariate(1 / (270 if language == "en" else 150))
    output = [draw.choice(own)]
    while sum(map(len, output)) < wanted:
        output.append(draw.choice(own))
    instruction = f"{own[number // 2 % len(own)]} {draw.randrange(1000)}"
    return _Task(
        language, instruction, draw.choice(own) if draw.random() < 0.4 else "", " ".join(output)
    )


def _make_assessment(draw: random.Random) -> Assessment:
    grades = (Grade(draw.randint(2, 5), "clear, correct and of use") for _ in range(3))
    return Assessment(Judgement(*grades), None)


def _make_manifest(
    kept: Sequence[InstructionRecord], rejected: Sequence[Rejection]
) -> DatasetManifest:
    return DatasetManifest(
        name="benchmark",
        version="0001-000000000000",
        content_hash="0" * 64,
        generated=len(kept) + len(rejected),
        kept=len(kept),
        rejected={},
        kept_by_language={},
        rejected_by_language={},
        splits={},
        teachers={"teacher": len(kept) + len(rejected)},
        strategies={"structured": len(kept) + len(rejected)},
        licence="apache-2.0",
        curation={},
        seeds=(),
        files=(),
        code_version="benchmark",
    )


def _measure_page(page: Page, url: str) -> list[str]:
    page.goto(url, wait_until="commit")
    started = time.perf_counter()
    page.wait_for_selector("body[data-loaded]", timeout=120_000)
    ready = time.perf_counter() - started
    paint = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime / 1000"
    )
    figures = [f"first paint {paint:.2f} s", f"all records read {ready:.2f} s"]
    page.keyboard.press("/")
    page.wait_for_timeout(1500)
    for kind, queries in _QUERIES.items():
        times = [_time_search(page, query) for query in (queries * 3)[:20]]
        figures.append(
            f"search {kind}: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms"
        )
    frames = page.evaluate(_SCROLL)
    figures.append(
        f"scroll frames: median {statistics.median(frames):.0f} ms, worst {max(frames):.0f} ms"
    )
    return figures


def _time_search(page: Page, query: str) -> float:
    """Time one change of the search field until the frame after the table was drawn, in ms."""
    return float(page.evaluate(_SEARCH, query))


_SEARCH = """query => new Promise(resolve => {
  const field = document.getElementById("search");
  const hits = document.getElementById("hits");
  const watch = new MutationObserver(() => {
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
  });
  watch.observe(hits, {childList: true});
  const started = performance.now();
  field.value = query;
  field.dispatchEvent(new Event("input"));
})"""
_SCROLL = """() => new Promise(resolve => {
  const field = document.getElementById("search");
  field.value = "";
  field.dispatchEvent(new Event("input"));
  setTimeout(() => {
    const scroller = document.getElementById("scroller");
    const times = [];
    let last = performance.now();
    const step = now => {
      times.push(now - last);
      last = now;
      scroller.scrollTop += 730;
      if (times.length < 120) requestAnimationFrame(step);
      else resolve(times.slice(2));
    };
    requestAnimationFrame(step);
  }, 500);
})"""


def _measure(row_count: int, corpora: Path, folder: Path) -> None:
    edition = make_edition(row_count, corpora)
    path = folder / f"report-{row_count}.html"
    started = time.perf_counter()
    write_report(path, edition)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = path.stat().st_size / 1e6
    print(
        f"{row_count} rows: built in {seconds:.1f} s, peak {peak:.0f} MB with the records "
        f"themselves, {size:.1f} MB"
    )
    browser_path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser_path is None:
        print("  no Chromium on the path, nothing is opened")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for line in _measure_page(browser.new_page(), path.as_uri()):
            print(f"  {line}")
        browser.close()


def main(arguments: Sequence[str]) -> None:
    """Print the figures of each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpora"))
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--folder", type=Path, help="keep the pages here")
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        raise SystemExit(f"{options.data} is not there: it holds the instructions, see --data")
    with tempfile.TemporaryDirectory() as temporary:
        for row_count in options.rows or [5_000, 50_000]:
            _measure(row_count, options.data, options.folder or Path(temporary))


if __name__ == "__main__":
    main(sys.argv[1:])
