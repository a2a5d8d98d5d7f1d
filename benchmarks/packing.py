"""Tokens a CPU-second of packed rows against padded ones, by our trainer, on the seed tasks.

Both sides see every row once. Padded batches already hold rows of like length, as in every run of
ours; ``TRL`` is its own ``packing="bfd"``, which lays a batch out as one sequence, so that the mask
of its attention grows with the square of all rows.

    .venv/bin/python -m benchmarks.packing
"""

import argparse

from benchmarks.training_runs import Report, Run, Side, run_apart

_AIM = 1.3


def main() -> None:
    """Measure each side once and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--student", default="smollm2-135m")
    parser.add_argument("--method", default="qlora")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--length", type=int, default=512, help="tokens of a packed sequence")
    arguments = parser.parse_args()
    padded: Report | None = None
    sides: tuple[Side, ...] = ("ours", "packed", "trl-packed")
    for side in sides:
        run = Run(
            side, arguments.method, arguments.student, 0, arguments.rows, length=arguments.length
        )
        report = run_apart(run)
        if not isinstance(report, Report):
            raise TypeError(report)
        padded = padded or report
        print(
            f"{side:10} {report.tokens:6} tokens {report.cpu_s:7.1f} CPU-s {report.wall_s:7.1f} s "
            f"{report.tokens / report.cpu_s:7.1f} tokens/CPU-s {report.peak_mb:6.0f} MB "
            f"{padded.cpu_s / report.cpu_s:5.2f} x (aim {_AIM})",
            flush=True,
        )


if __name__ == "__main__":
    main()
