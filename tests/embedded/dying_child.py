"""A child in the midst of its end: ``python -m tests.embedded.dying_child``.

As with a killed process, what it held is closed before its parent is told.
"""

import os
import socket
import sys
import time

from embedded.child import exit_with_parent

if __name__ == "__main__":
    exit_with_parent()
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201  # its protocol
    os.close(sys.stdout.fileno())
    listener.close()
    time.sleep(0.5)
    os._exit(9)
