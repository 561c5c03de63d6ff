"""On what a training runs: the graphics cards where there are some, else the processor."""

import torch


def device() -> str:
    """Return where models are fitted, as torch names it."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def cards() -> int:
    """Return how many graphics cards there are."""
    return torch.cuda.device_count()


def described() -> str:
    """Return the same in words for people: which card and how many, or how many threads."""
    if not cards():
        return f"CPU, {torch.get_num_threads()} threads"
    return f"{cards()} × {torch.cuda.get_device_name(0)}"
