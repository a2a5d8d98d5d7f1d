"""Lines that say how close a merged or exported student is to the one that was tuned."""

from schemas.exports import EngineMeasurement, MergeReport
from training.exporting.card import tell_divergence


def tell_merge(merge: MergeReport | None) -> list[str]:
    """Say how the adapter was merged; nothing where there was none."""
    if merge is None:
        return []
    lines = [
        f"merged against the adapter on its base, {merge.positions:,} tokens of {merge.texts} "
        f"texts ({merge.held_out_rows} held-out rows):"
    ]
    lines += [
        f"  {'*' if one == merge.taken else ' '} {one.route:<12} KL {tell_divergence(one.kl):<16} "
        f"same next token {one.same_next_token:.2%}"
        for one in merge.measured
    ]
    return lines


def tell_engine(engine: EngineMeasurement | None) -> list[str]:
    """Say what llama.cpp makes of the file."""
    if engine is None:
        return []
    return [
        f"llama.cpp against the merged weights, {engine.positions} places: KL "
        f"{tell_divergence(engine.kl)}, same next token {engine.same_next_token:.2%}; token ids "
        "and chat template equal"
    ]
