"""What tuning on real reviews does to a small base model, and what it does not: see README.md.

    PACALOOM_ACCEPT_TERMS=gemma .venv/bin/python -m benchmarks.nsmc [--work outputs/nsmc]

Everything is kept in the work folder: sets, students, answers. A call that was cut off continues,
and a second one only prints the tables again.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.nsmc.picture import draw
from benchmarks.nsmc.rows import DATA
from benchmarks.nsmc.study import Study, run_study
from benchmarks.nsmc.table import print_findings
from flows.settings import ROOT, read_settings
from schemas.errors import PacaloomError
from schemas.storage import write_text


def main(arguments: Sequence[str]) -> int:
    """Run what is missing, print the tables and write report.json and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "outputs" / "nsmc")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with nsmc/ and the others")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--machine", default="", help="one line for the report")
    parser.add_argument("--picture", type=Path, help="default: nsmc.png in the work folder")
    parser.add_argument("--student", action="append", help="only these, by name (repeated)")
    options = parser.parse_args(arguments)
    settings = read_settings().model_copy(update={"outputs": options.work.absolute()})
    study = Study(settings, options.data, options.threads, tuple(options.student or ()))
    try:
        findings = run_study(study, options.machine)
    except PacaloomError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    write_text(settings.outputs / "report.json", findings.model_dump_json(indent=1) + "\n")
    draw(findings, options.picture or settings.outputs / "nsmc.png")
    print_findings(findings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
