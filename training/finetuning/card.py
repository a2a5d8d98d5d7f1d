"""The model card of a tuned student: what it is, what it was made from, what it cannot do."""

from schemas.manifest import Method, TrainingManifest

_METHODS: dict[Method, str] = {
    "full": "all weights trained",
    "lora": "LoRA adapters on every linear layer of the frozen base",
    "qlora": "LoRA adapters on every linear layer of the base stored in 4 bits "
    "(NF4, double quantization)",
    "dora": "DoRA adapters on every linear layer of the frozen base",
    "prompt_tuning": "the embeddings of virtual tokens before each prompt, the base frozen",
}

_CARD = """---
{front_matter}
---

# {name} {version}

{student}, tuned on the dataset `{dataset}`: {method}.

| | |
|---|---|
| base | `{student}`, weights sha256 `{student_sha256}` |
| dataset | `{dataset}`, content hash `{dataset_content_hash}` |
| rows | {train_rows} trained on, {validation_rows} held out, {overlong_rows} left out as too long |
| held-out loss, nats a token | {loss_before:.4f} before, {loss_after:.4f} after {steps} steps |
| parameters | {trainable_parameters:,} trained of {total_parameters:,} |
| peak memory | {peak_memory_mb:,.0f} MB |
| training time | {train_seconds:,.0f} s |
| prompt templates | hash `{template_hash}` |

## Use

{use}
Ask with the templates that it was trained with: Stanford Alpaca's for English, KoAlpaca v1.1's
(`### 질문:` … `### 답변:`) for Korean. Other templates can do worse than the base.

## Recipe

| setting | value |
|---|---|
{recipe}

## Libraries

{libraries}; code {code_version}.

## Limits

- The rows it learned from are machine-generated: it repeats their errors and their style.
- A lower held-out loss says that it writes more like those rows, not that it is more often right;
  that is what its evaluation report is for.
- It knows no fact that neither base nor dataset knew, and it was not trained to refuse.
- The base's licence holds for it as well, and so do the terms of the teacher that wrote the rows.
"""

_USE_ADAPTER = """This folder holds an adapter. It belongs on the very base weights named above:

```python
from pathlib import Path
from training.loading import load_model

model, tokenizer = load_model(Path("outputs/models/{name}/{version}"))
```
"""
_USE_FULL = """This folder is a complete checkpoint:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("outputs/models/{name}/{version}")
tokenizer = AutoTokenizer.from_pretrained("outputs/models/{name}/{version}")
```
"""


def render_model_card(manifest: TrainingManifest, languages: tuple[str, ...]) -> str:
    """Render README.md with front matter as the Hugging Face Hub reads it."""
    from huggingface_hub import ModelCardData

    adapter = manifest.method != "full"
    front_matter = ModelCardData(
        language=list(languages),
        base_model=manifest.student,
        library_name="peft" if adapter else "transformers",
        pipeline_tag="text-generation",
        tags=["pacaloom", "instruction-tuning", manifest.method],
    )
    facts = manifest.model_dump(exclude={"method", "recipe", "libraries"})
    return _CARD.format(
        **facts,
        front_matter=front_matter.to_yaml().strip(),
        method=_METHODS[manifest.method],
        use=(_USE_ADAPTER if adapter else _USE_FULL).format(
            name=manifest.name, version=manifest.version
        ),
        recipe="\n".join(f"| {key} | {value} |" for key, value in manifest.recipe.items()),
        libraries=", ".join(f"{name} {number}" for name, number in manifest.libraries.items()),
    )
