"""The processes that train one model together, as `torchrun` starts them: one per accelerator, or on CPUs by gloo."""

import os
from typing import NamedTuple

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Processes(NamedTuple):
    """Which one this is, of how many."""

    rank: int = 0
    world: int = 1

    def share(self, learner: nn.Module) -> nn.Module:
        """Return the learner such that all processes learn from the mean of their gradients."""
        return learner if self.world == 1 else DistributedDataParallel(learner)

    def agreed(self, value: float) -> float:
        """Return what the first process says."""
        if self.world == 1:
            return value
        said = torch.tensor([value], dtype=torch.float64)
        if distributed.get_backend() == "nccl":
            said = said.cuda()
        distributed.broadcast(said, 0)
        return float(said)


def joined(device: str) -> tuple[Processes, str]:
    """Join the processes that torchrun started, if it did; return which one this is and the device it has."""
    world, on_cuda = int(os.environ.get("WORLD_SIZE", "1")), torch.device(device).type == "cuda"
    if world == 1:
        return Processes(), device
    if on_cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if on_cuda else "gloo")
    return Processes(distributed.get_rank(), world), device


def chosen(device: str) -> str:
    """Return the device to train on: what is asked for, or by `auto` an accelerator where there is one."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
