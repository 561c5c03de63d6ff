"""On what a training runs: the graphics cards where there are some, else the processor."""

import torch
from django.conf import settings


def device() -> str:
    """Return where models are fitted, as torch names it."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def cards() -> int:
    """Return how many graphics cards there are."""
    return torch.cuda.device_count()


def processes() -> int:
    """Return how many processes fit a long model together: as many as the setting says, else one per card."""
    return int(settings.TRAINING_PROCESSES) or max(1, cards())


def described() -> str:
    """Return the same in words for people: which card and how many, or how many threads."""
    many = f", {processes()} processes" if processes() > 1 else ""
    if not cards():
        return f"CPU, {torch.get_num_threads()} threads{many}"
    return f"{cards()} × {torch.cuda.get_device_name(0)}{many}"
