"""Writers that are killed with SIGKILL at moments drawn at random; run as a program.

A small process makes and kills them by fork, because starting Python for each would take most of
the time. Each writer appends the number of an answer to a file of its own once the journal says
that the answer is on the disk.
"""

import os
import signal
import sys
import time
from pathlib import Path
from random import Random

from pipeline.generation.budget.caps import Spending
from pipeline.generation.journal.journal import Journal
from tests.generation.journal_making import make_exchange


def write_until_killed(path: Path) -> None:
    with Journal(path) as journal, path.with_suffix(".written").open("a") as written:
        for group in range(1_000_000):
            numbers = range(group * 3, group * 3 + 3)
            journal.put_all(
                [make_exchange(number, "답" * 900) for number in numbers],
                {"run": Spending(group + 1)},
            )
            written.write(f"{numbers[-1]}\n")
            written.flush()


def main() -> None:
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    draw = Random(int(sys.argv[3]))  # noqa: S311 - moments, no secrets
    for number in range(kills):
        child = os.fork()
        if child == 0:
            write_until_killed(folder / f"{number}.sqlite")
        # Half of them while the file is being made, which takes a few milliseconds.
        time.sleep(draw.uniform(0, 0.01 if number % 2 else 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
