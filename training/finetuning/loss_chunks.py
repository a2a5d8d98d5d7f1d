"""How many labelled positions have their logits at the same time; loss and memory plan agree on it.

In a module of its own because the plan is made without torch.
"""

CHUNK_MB = 128
"""Size of one chunk's logits in fp32, in MB of 10^6 bytes."""


def chunk_positions(vocabulary: int) -> int:
    """Count the labelled positions whose logits exist at the same time."""
    return max(1, CHUNK_MB * 1_000_000 // (4 * vocabulary))
