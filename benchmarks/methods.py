"""One dataset, one student, every method: time, memory, size and held-out loss in one table.

    .venv/bin/python -m benchmarks.methods [--steps 30] [--method full --method lora …]

The dataset version is made of the project's own English seed tasks, curated like any import; each
method is `./pacaloom finetune` with its default recipe at one thread, in a process of its own.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import get_args

from schemas.manifest import Method, TrainingManifest
from schemas.storage import read_manifest

ROOT = Path(__file__).parents[1]
_COLUMNS = (
    "method", "trained", "loss before", "after", "s", "tokens/s", "peak MB", "planned", "saved MB",
)  # fmt: skip


def main() -> None:
    """Tune by each method and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--method", action="append", choices=get_args(Method))
    known = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="methods-") as name:
        outputs = Path(name)
        dataset = _make_dataset(outputs)
        print("| " + " | ".join(_COLUMNS) + " |\n|" + "---|" * len(_COLUMNS), flush=True)
        for method in known.method or ("full", "lora", "qlora"):
            print(_row(_tune(outputs, dataset, method, known.steps)), flush=True)


def _make_dataset(outputs: Path) -> str:
    source = outputs / "seeds.jsonl"
    lines: list[str] = []
    for line in (ROOT / "seeds" / "en.jsonl").read_text(encoding="utf-8").splitlines():
        seed = json.loads(line)
        row = {name: seed.get(name, "") for name in ("instruction", "input", "output")}
        lines.append(json.dumps({**row, "language": "en"}))
    source.write_text("\n".join(lines), encoding="utf-8")
    _pacaloom(outputs, "curate", "--name", "seeds", "--input", str(source), "--seeds", "none")
    return "seeds"


def _tune(outputs: Path, dataset: str, method: str, steps: int) -> Path:
    done = _pacaloom(
        outputs, "finetune", "--dataset", dataset, "--method", method, "--name", method,
        "--max-steps", str(steps), "--batch-size", "2", "--gradient-accumulation", "4",
        "--threads", "1",
    )  # fmt: skip
    return Path(json.loads(done.splitlines()[-1])["model"])


def _pacaloom(outputs: Path, *arguments: str) -> str:
    environment = {**os.environ, "PACALOOM_OUTPUTS": str(outputs)}  # noqa: TID251 (handed on)
    done = subprocess.run(
        [str(ROOT / "pacaloom"), *arguments], env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout


def _row(folder: Path) -> str:
    manifest = read_manifest(folder, TrainingManifest, "a tuned student")
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    cells = (
        manifest.method,
        f"{manifest.trainable_parameters / 1e6:.2f} M",
        f"{manifest.loss_before:.4f}",
        f"{manifest.loss_after:.4f}",
        f"{manifest.train_seconds:.0f}",
        f"{manifest.tokens_per_second:.0f}",
        f"{manifest.peak_memory_mb:,.0f}",
        f"{manifest.memory.total_mb:,.0f}",
        f"{weights / 1e6:.1f}",
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
