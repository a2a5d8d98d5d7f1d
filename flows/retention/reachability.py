"""What is reached from what has to stay; linear in the references."""

from collections import deque
from collections.abc import Collection, Mapping


def find_reached(roots: Mapping[str, str], refers: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Follow references from the roots.

    Args:
        roots: What stays, and why.
        refers: What each thing refers to; a thing that it does not name refers to nothing.

    Returns:
        All that stays, and why: for what is no root, who refers to it.
    """
    reached = dict(roots)
    waiting = deque(roots)
    while waiting:
        holder = waiting.popleft()
        for held in refers.get(holder, ()):
            if held not in reached:
                reached[held] = f"{holder} refers to it"
                waiting.append(held)
    return reached
