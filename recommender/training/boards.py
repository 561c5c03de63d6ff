"""TensorBoard's event files of a training, a folder per model, beside the row in the database (T14).

Nothing leaves the machine: `tensorboard --logdir STORAGE_DIR/tenant-<id>/tensorboard` shows them.
"""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter


class Board:
    """Writes scalars over steps, one event file per curve."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, SummaryWriter] = {}

    def scalars(self, curve: str, step: int, **values: float | None) -> None:
        """Add a step's values to a curve; those not told are left out."""
        if curve not in self.writers:
            self.writers[curve] = SummaryWriter(str(self.folder / curve))
        for name, value in values.items():
            if value is not None:
                self.writers[curve].add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is still in memory, and let the files go."""
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()
