"""``python -m cli``: what ``./pacaloom`` runs."""

import sys


def _run() -> int:
    # Importing takes a quarter of a second, in which Ctrl-C would end in a traceback.
    try:
        from cli.main import main

        return main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("pacaloom: error: interrupted before anything was begun.\n")
        return 130


if __name__ == "__main__":
    sys.exit(_run())
