"""The table of formats; a new one is a module and a line here."""

from collections.abc import Sequence

from pipeline.publishing.exports.alpaca import ALPACA
from pipeline.publishing.exports.axolotl import AXOLOTL
from pipeline.publishing.exports.chat import OPENAI_CHAT, SHAREGPT
from pipeline.publishing.exports.contract import ExportError, Format
from pipeline.publishing.exports.koalpaca import KOALPACA
from pipeline.publishing.exports.llama_factory import LLAMA_FACTORY
from pipeline.publishing.exports.tabular import CSV, PARQUET
from pipeline.publishing.exports.trl import TRL, TRL_CHAT

FORMATS: tuple[Format, ...] = (
    ALPACA, KOALPACA, OPENAI_CHAT, SHAREGPT, LLAMA_FACTORY, AXOLOTL, TRL, TRL_CHAT, PARQUET, CSV
)  # fmt: skip


def find_formats(names: Sequence[str]) -> list[Format]:
    """Find formats by name, each once, in the order they are named.

    Raises:
        ExportError: No format has the name; the message lists all.
    """
    known = {format_.name: format_ for format_ in FORMATS}
    for name in names:
        if name not in known:
            raise ExportError(
                f"There is no export format {name!r}. Choose from {', '.join(known)}."
            )
    return [known[name] for name in dict.fromkeys(names)]
