from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import Method
from training.finetuning.contract.encoding import IGNORED
from training.finetuning.recipe import Hardware, Recipe, resolve
from training.finetuning.student import Student, load_student

ROUNDING = 1e-6
"""Of sums of gradients up to 0.6 in fp32; more than one thread adds them up in another order."""
METHODS: list[Method] = ["full", "lora", "qlora", "dora", "prompt_tuning"]

GRADIENT_CHECKPOINTING_ASKS = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing` is deprecated"
)


def load(folder: Path, method: Method, *, computes_bf16: bool = False) -> Any:
    """Load the tiny llama as a method trains it, with adapters that are no longer zero."""
    import torch

    recipe = Recipe(method=method, r=8 if method in ("lora", "qlora", "dora") else None)
    settings = resolve(recipe, Hardware("cpu", computes_bf16=computes_bf16, threads=1))
    model: Any = load_student(Student("tiny", folder), recipe, settings).model
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter.data, std=0.02)
    return model.train()


def make_batch(rows: int = 3, width: int = 21) -> dict[str, Any]:
    """Rows of unequal length, filled up on the right, with a prompt that has no label."""
    import torch

    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(5, 300, (rows, width), generator=generator)
    lengths = torch.tensor([[width - 4 * row] for row in range(rows)])
    mask = (torch.arange(width) < lengths).long()
    labels = tokens.masked_fill((torch.arange(width) < 5) | (mask == 0), IGNORED)
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


def compute_plainly(model: Any, batch: dict[str, Any]) -> Any:
    """Sum the cross entropies as transformers and torch do it: all logits at once."""
    import torch

    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs, use_cache=False).logits
    logits = logits[:, logits.shape[1] - batch["labels"].shape[1] :].float()
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten(), reduction="sum"
    )


def compute_ours(model: Any, batch: dict[str, Any]) -> Any:
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    return model(**inputs, loss_labels=batch["labels"]).loss


def give_labelled_loss(model: Any, monkeypatch: pytest.MonkeyPatch, positions: int = 7) -> Any:
    """Cut the loss into chunks that do not divide the number of positions."""
    from training.finetuning import loss

    monkeypatch.setattr(loss, "chunk_positions", lambda _: positions)
    loss.add_labelled_loss(model.get_base_model() if hasattr(model, "peft_config") else model)
    return model


def differentiate(model: Any, total: Any) -> Any:
    import torch

    (total / 10).backward()
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    return torch.cat(gradients)


@GRADIENT_CHECKPOINTING_ASKS
@pytest.mark.parametrize("method", METHODS)
def test_loss_and_gradients_equal_those_of_all_logits_at_once(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    import torch

    model, batch = load(tiny_llama, method), make_batch()
    plain = compute_plainly(model, batch)
    expected = differentiate(model, plain)

    give_labelled_loss(model, monkeypatch)
    ours = compute_ours(model, batch)

    assert ours.item() == pytest.approx(plain.item(), rel=1e-6)
    assert torch.allclose(differentiate(model, ours), expected, rtol=1e-4, atol=ROUNDING)


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_gradients_under_bf16_autocast_are_as_close_to_fp32_as_those_of_all_logits(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    import torch

    model, batch = load(tiny_llama, method), make_batch()
    exact = differentiate(model, compute_plainly(model, batch))
    with torch.autocast("cpu", torch.bfloat16):
        plain = compute_plainly(model, batch)
    rounded = differentiate(model, plain)

    give_labelled_loss(model, monkeypatch)
    with torch.autocast("cpu", torch.bfloat16):
        ours = compute_ours(model, batch)
    found = differentiate(model, ours)

    assert ours.item() == pytest.approx(plain.item(), rel=1e-4)
    assert (found - exact).norm() <= 1.1 * (rounded - exact).norm()


def test_an_untied_head_is_trained_too(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    model, batch = load(tiny_llama, "full"), make_batch()
    tied = model.lm_head.weight
    model.lm_head.weight = torch.nn.Parameter(tied.detach().clone())
    expected = differentiate(model, compute_plainly(model, batch))

    give_labelled_loss(model, monkeypatch)

    found = differentiate(model, compute_ours(model, batch))
    assert len(found) == len(expected) == sum(p.numel() for p in model.parameters())
    assert torch.allclose(found, expected, rtol=1e-4, atol=ROUNDING)


def build_capped() -> Any:
    """Gemma 2: logits go through a soft cap."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    return Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=512,
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=32,
            final_logit_softcapping=0.5,
        )
    )


def build_scaled() -> Any:
    """Granite: logits are divided by a number."""
    from transformers import GraniteConfig, GraniteForCausalLM

    return GraniteForCausalLM(
        GraniteConfig(
            vocab_size=512,
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            logits_scaling=0.25,
        )
    )


def build_with_bias() -> Any:
    """Phi: the head has a bias."""
    from transformers import PhiConfig, PhiForCausalLM

    return PhiForCausalLM(
        PhiConfig(
            vocab_size=512,
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
        )
    )


@pytest.mark.parametrize("build", [build_capped, build_scaled, build_with_bias])
def test_what_an_architecture_does_to_its_logits_is_done(
    monkeypatch: pytest.MonkeyPatch, build: Callable[[], Any]
) -> None:
    import torch

    torch.manual_seed(0)
    model, batch = build().train(), make_batch()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter.data, std=0.05)
    plain = compute_plainly(model, batch)
    expected = differentiate(model, plain)

    give_labelled_loss(model, monkeypatch)
    ours = compute_ours(model, batch)

    assert ours.item() == pytest.approx(plain.item(), rel=1e-6)
    assert torch.allclose(differentiate(model, ours), expected, rtol=1e-4, atol=1e-6)


@GRADIENT_CHECKPOINTING_ASKS
@pytest.mark.parametrize("method", ["full", "lora"])
def test_gradient_checkpointing_changes_nothing(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    import torch

    model, batch = give_labelled_loss(load(tiny_llama, method), monkeypatch), make_batch()
    expected = differentiate(model, compute_ours(model, batch))

    if method == "lora":
        model.enable_input_require_grads()
    model.activation_checkpointing_enable({"use_reentrant": False})

    assert torch.allclose(differentiate(model, compute_ours(model, batch)), expected, atol=ROUNDING)


def test_logits_of_no_more_than_a_chunk_exist_at_once_and_each_only_once(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, batch = give_labelled_loss(load(tiny_llama, "full"), monkeypatch, 7), make_batch()
    projected: list[int] = []
    model.lm_head.register_forward_hook(lambda _, __, out: projected.append(out[..., 0].numel()))

    compute_ours(model, batch).backward()

    labelled = 16 + 12 + 8
    assert projected == [7] * (labelled // 7) + [labelled % 7]


def test_without_gradients_the_loss_is_the_same_and_keeps_nothing(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    model, batch = give_labelled_loss(load(tiny_llama, "full"), monkeypatch), make_batch()
    with torch.no_grad():
        silent = compute_ours(model, batch)

    assert not silent.requires_grad
    assert silent.item() == pytest.approx(compute_ours(model, batch).item(), rel=1e-7)


def test_a_batch_without_a_label_gives_a_loss_of_zero_that_can_be_differentiated(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, batch = give_labelled_loss(load(tiny_llama, "lora"), monkeypatch), make_batch()
    batch["labels"].fill_(IGNORED)

    total = compute_ours(model, batch)

    assert total.item() == 0
    assert not differentiate(model, total).any()


def test_the_forward_without_labels_is_the_models_own(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    model, batch = load(tiny_llama, "full").eval(), make_batch()
    expected = model(input_ids=batch["input_ids"]).logits

    give_labelled_loss(model, monkeypatch)

    assert torch.equal(model(input_ids=batch["input_ids"]).logits, expected)
    answer = model.generate(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], max_new_tokens=2
    )
    assert answer.shape[1] == batch["input_ids"].shape[1] + 2


@pytest.mark.parametrize("vocabulary", [512, 49_152, 262_144])
def test_a_chunks_logits_stay_under_the_limit(vocabulary: int) -> None:
    from training.finetuning.loss_chunks import CHUNK_MB, chunk_positions

    assert 4 * vocabulary * chunk_positions(vocabulary) <= CHUNK_MB * 1_000_000
    assert 4 * vocabulary * (chunk_positions(vocabulary) + 1) > CHUNK_MB * 1_000_000
