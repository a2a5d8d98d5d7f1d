"""The card of an exported student: what it is, how close to the trained one, how to run it."""

from schemas.exports import ExportManifest
from schemas.markdown import code, plain

_LEAST_NATS = 1e-8

_CARD = """# {model}

{origin}

{merge}{engine}

Ask it with its chat template, which is the one it was trained with. An answer ends with {stop}.

## Run it

{run}
"""
_RUN_HF = """```python
from transformers import pipeline

chat = pipeline("text-generation", model=".")
print(chat([{"role": "user", "content": "Name three fruits."}], max_new_tokens=100))
```"""
_RUN_GGUF = """```sh
llama-server --host 127.0.0.1 --model {file}
```"""


def render_card(export: ExportManifest) -> str:
    """Render README.md of an export."""
    gguf = [file for file in export.files if file.endswith(".gguf")]
    return _CARD.format(
        model=code(export.model),
        origin=_tell_origin(export),
        merge=_tell_merge(export),
        engine=_tell_engine(export),
        stop=code(export.stop),
        run=_RUN_GGUF.format(file=gguf[0]) if gguf else _RUN_HF,
    )


def tell_divergence(nats: float) -> str:
    """Write a divergence; what is smaller than the arithmetic can tell is only bounded."""
    return f"{nats:.1e}" if nats >= _LEAST_NATS else f"less than {_LEAST_NATS:.0e}"


def _tell_origin(export: ExportManifest) -> str:
    weights = f"Weights in {export.weights}."
    if export.method is None:
        return f"A base model, as it came. {weights}"
    return (
        f"{plain(export.base)} (weights sha256 `{export.base_sha256}`), tuned by "
        f"{export.method} on the dataset `{export.dataset}` with template `{export.template}` "
        f"(hash `{export.template_hash}`). {weights} The base's licence holds for it as well."
    )


def _tell_merge(export: ExportManifest) -> str:
    if export.merge is None:
        return "Nothing had to be merged."
    taken, measured = export.merge.taken, export.merge.measured
    return (
        f"The adapter was merged by the route `{taken.route}`, the closest of {len(measured)}: "
        f"over {export.merge.positions:,} tokens it differs from the adapter on its base by a KL "
        f"divergence of {tell_divergence(taken.kl)} nats a token and finds the same next token at "
        f"{taken.same_next_token:.2%}, before weights were rounded to {export.weights}."
    )


def _tell_engine(export: ExportManifest) -> str:
    if (engine := export.engine) is None:
        return ""
    return (
        f" llama.cpp, compared with the merged weights at {engine.positions} places: "
        f"{tell_divergence(engine.kl)} nats, the same next token at {engine.same_next_token:.2%}."
    )
