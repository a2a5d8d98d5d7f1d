"""Checkpoints of students whose weights are spread over several processes (FSDP 2), on CPUs."""

import multiprocessing
from functools import partial
from pathlib import Path

import pytest
import torch

from training.finetuning.resumable import gather, share_out
from training.finetuning.tensor_trees import read_tree, write_tree


def _work(rank: int, folder: Path) -> None:
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import DTensor

    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2
    )
    mesh = init_device_mesh("cpu", (2,))
    layer = make_layer()
    fully_shard(layer, mesh=mesh)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    train(layer, optimizer, steps=2)
    whole = {name: gather(weight, rank == 0) for name, weight in layer.named_parameters()}
    momentum = gather(optimizer.state[next(iter(layer.parameters()))]["exp_avg"], rank == 0)
    if rank == 0:
        write_tree(folder, "whole", {**whole, "momentum": momentum})
    dist.barrier()
    held = read_tree(folder, "whole")
    assert isinstance(held, dict)
    for name, weight in layer.named_parameters():
        part = share_out(held[name], weight)
        assert isinstance(part, DTensor)
        assert isinstance(weight, DTensor)
        assert part.to_local().equal(weight.to_local())
        assert part.placements == weight.placements
    dist.barrier()
    dist.destroy_process_group()


def make_layer() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(6, 4)


def train(layer: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        layer(torch.arange(12.0).reshape(2, 6)).pow(2).mean().backward()
        optimizer.step()


@pytest.mark.slow
def test_a_checkpoint_of_spread_weights_holds_the_whole_and_gives_each_process_its_part(
    tmp_path: Path,
) -> None:
    start = multiprocessing.get_context("spawn")
    workers = [start.Process(target=partial(_work, rank, tmp_path)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]

    alone = make_layer()
    optimizer = torch.optim.AdamW(alone.parameters(), lr=0.1)
    train(alone, optimizer, steps=2)
    held = read_tree(tmp_path, "whole")
    assert isinstance(held, dict)
    for name, weight in alone.named_parameters():
        assert held[name].allclose(weight)
    assert held["momentum"].allclose(optimizer.state[alone.weight]["exp_avg"])
