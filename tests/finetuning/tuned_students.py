"""Tuned versions without a training run: adapters with random halves, so that they change much."""

from pathlib import Path
from typing import Any

from schemas.manifest import ContractSummary, MemoryEstimate, Method, TrainingManifest
from schemas.templates import INSTRUCTION
from training.base_model import four_bit, load_base, weights_sha256
from training.finetuning.methods import METHODS
from training.quiet import quiet_libraries


def write_tuned(
    root: Path, base: Path, method: Method, *, size: float = 0.02, dataset_hash: str = "none"
) -> Path:
    """Write a version under ``root/models`` whose adapter moves weights by about ``size``."""
    import torch

    model, tokenizer = load_base(base, four_bit("fp32") if method == "qlora" else None)
    torch.manual_seed(7)
    tuned = model if method == "full" else _adapt(model, method, size)
    staged = root / "staged"
    with quiet_libraries():
        if method == "full":
            tuned.save_pretrained(staged)
        else:
            tuned.save_pretrained(staged, save_embedding_layers=False)
        tokenizer.save_pretrained(staged)
    sha256 = weights_sha256(staged)
    folder = root / "models" / method.replace("_", "-") / f"0001-{sha256[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged.rename(folder)
    manifest = describe(folder, base, method, dataset_hash)
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    return folder


def build_tiny_gemma(folder: Path, tokenizer_of: Path) -> Path:
    """Write a tiny Gemma 3 with the tokenizer of another checkpoint."""
    import torch
    from transformers import AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_of)
    torch.manual_seed(3)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    with quiet_libraries():
        Gemma3ForCausalLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def _adapt(model: Any, method: Method, size: float) -> Any:
    import torch
    from peft import LoraConfig, PromptTuningConfig, get_peft_model

    with quiet_libraries():
        if method == "prompt_tuning":
            config = PromptTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM")
            return get_peft_model(model, config)
        config = LoraConfig(
            r=8,
            lora_alpha=16,
            target_modules="all-linear",
            use_dora=method == "dora",
            task_type="CAUSAL_LM",
        )
        adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=size)
    return adapted


def describe(folder: Path, base: Path, method: Method, dataset_hash: str) -> TrainingManifest:
    return TrainingManifest(
        name=folder.parent.name,
        version=folder.name,
        method=method,
        student="tiny",
        student_path=str(base),
        student_sha256=weights_sha256(base),
        dataset="colours/0001-0123456789ab",
        dataset_content_hash=dataset_hash,
        template="instruction",
        template_hash=INSTRUCTION.hash,
        recipe={"method": method, **METHODS[method]().model_dump(mode="json")},
        contract=ContractSummary(
            rows={"train": 18, "validation": 6},
            overlong=0,
            tokens=1800,
            trained_tokens=900,
            length_median=100,
            length_longest=120,
            languages={"en": 9, "ko": 9},
            duplicates=0,
        ),
        memory=MemoryEstimate(
            process_mb=100,
            weights_mb=1,
            adapters_mb=0,
            gradients_mb=0,
            optimizer_mb=0,
            activations_mb=0,
            logits_mb=0,
        ),
        steps=1,
        loss_before=2.0,
        loss_after=1.5,
        peak_memory_mb=100,
        train_seconds=1,
        tokens_per_second=1,
        trainable_parameters=1,
        total_parameters=2,
        files=(),
        libraries={},
        code_version="test",
    )
