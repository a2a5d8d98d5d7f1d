"""Short names of models, for places where a content hash only takes room."""

import re
from collections.abc import Collection

_HASH = re.compile(r"(?<=/\d{4})-[0-9a-f]{12}$")


def shorten_names(names: Collection[str]) -> dict[str, str]:
    """Leave the content hash of ``NAME/0003-0123456789ab`` out where all stay different."""
    short = {name: _HASH.sub("", name) for name in names}
    taken = list(short.values())
    return {name: one if taken.count(one) == 1 else name for name, one in short.items()}
