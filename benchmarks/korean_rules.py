"""Real Korean prompts that rules for one record turn away as malformed: ours against Alpaca's.

People's own prompts are well formed by definition, so each rejection is a fault of the rule or a
flaw of the corpus; the reasons are listed with examples. Ours are curation's stages ``schema``,
``language`` and ``rules`` on a draft with the prompt as its instruction and a sound Korean answer.
Alpaca's are the filters on instructions of ``post_process_gpt3_response`` in
``generate_instruction.py`` of tatsu-lab/stanford_alpaca, read anew here from that source and not
through our own ``rules: alpaca``, which spares Korean records.

    .venv/bin/python -m benchmarks.korean_rules
"""

import argparse
import gzip
import json
import re
import string
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path

from benchmarks.endpoint import ROOT
from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import Admission
from schemas.records import Draft, Provenance, Rejection

CORPUS = ROOT / "../shared/data/corpora/ko_instructions.jsonl.gz"
_OUTPUT = (
    "먼저 상황을 살펴보고 필요한 것부터 차례로 정리하면 됩니다. "
    "그다음에 남은 일을 나누어 진행합니다."
)
_KEYWORD = re.compile(
    r"\b(image|images|graph|graphs|picture|pictures|file|files|map|maps|draw|plot|go to|video|audio"
    r"|music|flowchart|diagram)\b",
    re.IGNORECASE,
)
_MOST = 0.02


def find_alpaca_reason(instruction: str) -> str | None:
    """Return the first filter of Alpaca's that objects, in its order."""
    count = len(instruction.split())
    if count <= 3 or count > 150:
        return "three words or fewer" if count <= 3 else "more than 150 words"
    if _KEYWORD.search(instruction):
        return "keyword"
    if instruction.startswith("Write a program"):
        return "write a program"
    if instruction[0] in string.punctuation:
        return "leading punctuation"
    return None if instruction[0].isascii() else "first character is not ASCII"


def find_our_reason(instruction: str, admission: Admission) -> str | None:
    """Return reason and evidence of ours."""
    draft = Draft(
        instruction=instruction,
        output=_OUTPUT,
        language="ko",
        provenance=Provenance(strategy="import", teacher="corpus", completion_id="corpus"),
    )
    verdict = admission.admit(draft)
    return f"{verdict.reason}\t{verdict.detail}" if isinstance(verdict, Rejection) else None


def read_prompts(path: Path, rows: int) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = (str(json.loads(line)["instruction"]).strip() for line in islice(lines, rows))
        return [text for text in texts if text]


def print_reasons(reasons: Counter[str], total: int) -> None:
    for reason, count in reasons.most_common():
        print(f"  {count:6,}  {count / total:6.2%}  {reason}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--examples", type=int, default=5, help="of each reason of ours")
    arguments = parser.parse_args()
    if not arguments.corpus.is_file():
        print(f"Skipped: needs instructions as .jsonl.gz, none at {arguments.corpus}.")
        return
    prompts = read_prompts(arguments.corpus, arguments.rows)
    alpaca = Counter(reason for text in prompts if (reason := find_alpaca_reason(text)))
    admission = Admission([], CurationConfig(stage=("schema", "language", "rules")))
    examples: dict[str, list[str]] = defaultdict(list)
    for text in prompts:
        found = find_our_reason(text, admission)
        if found is not None:
            reason, _, detail = found.partition("\t")
            examples[reason].append(f"{text[:90]!r}: {detail[:90]}")
    ours = Counter({reason: len(texts) for reason, texts in examples.items()})
    print("Alpaca's:")
    print_reasons(alpaca, len(prompts))
    print("Ours:")
    for reason, texts in sorted(examples.items(), key=lambda item: -len(item[1])):
        print_reasons(Counter({reason: len(texts)}), len(prompts))
        step = max(len(texts) // max(arguments.examples, 1), 1)
        for text in texts[::step][: arguments.examples]:
            print(f"            {text}")
    print("\n| prompts | ours rejects | Alpaca's rejects | aim |\n|---|---|---|---|")
    print(
        f"| {len(prompts):,} | {ours.total() / len(prompts):.2%} "
        f"| {alpaca.total() / len(prompts):.1%} | under {_MOST:.0%} |"
    )


if __name__ == "__main__":
    main()
