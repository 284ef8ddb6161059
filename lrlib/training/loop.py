"""The training loop, as a textbook has it: set the rate, compute the gradient, read the rate back, update.

Measured on two cores of an Intel Xeon with AMX, in bf16, batches of 128, path "fast", torch 2.14.1: 2,833
images a second with `resnet10`, 597 with `resnet50`, 163 with `source_resnet`. That is 2.2, 2.9 and 2.0 times
the recipe of most tutorials (a DataLoader of PIL images, fp32), and 93, 95 and 98 % of a bare forward pass,
backward pass and update on one batch in memory (benchmarks/results/throughput.json, 25 November 2026,
medians of 3 rounds; benchmarks/README.md says what was compared).

`Loop` is the reference. `lrlib.training.gpu.Engine` makes the same updates on a GPU, by the same `step`, with
fewer calls from Python; what stands around an epoch (checkpoints, the record) is in `lrlib.training.run`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrlib.runs.config import RunConfig
from lrlib.training import networks
from lrlib.training.dataset import Dataset, load, parity
from lrlib.training.machine import Target
from lrlib.training.metrics import Meter, evaluate, prepared, unit_pixels
from lrlib.training.optimizers import optimizer_for
from lrlib.training.randomness import augment


class Loop:
    """The updates and evaluations of one run.

    `epoch` and `evaluate` are generators: at each `yield` another run on the same device may have its turn
    (`lrlib.training.run.take_turns`). What they return is what was measured.
    """

    def __init__(
        self,
        config: RunConfig,
        data: Dataset,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        target: Target,
    ) -> None:
        self.config, self.data, self.target = config, data, target
        self.net, self.optimizer, self.scaler = net, optimizer, scaler
        # Apart from `net`, as the engine puts a call in its place that casts all weights at once.
        self.forward: Callable[[Tensor], Tensor] = net

    def epoch(
        self,
        order: Tensor,
        draws: tuple[Tensor, ...],
        rates: list[float],
        tell: Callable[[float], None] = lambda lr: None,
        momenta: list[float] | None = None,
    ) -> Generator[None, None, Meter]:
        """Make an epoch's updates, the t-th at ``rates[t]``, and return their sums.

        Parameters
        ----------
        order : Tensor, int64 [n]
            Indices of the images, batch after batch.
        draws : tuple of Tensor, each [n, ...]
            What augments the images, in the same order; empty without augmentation.
        rates : list of float
            One for each update.
        tell : callable
            Called with each rate after its update, for a progress bar.
        momenta : list of float or None
            One for each update where the recipe moves the momentum; None leaves it as the optimizer has it.
        """
        meter = Meter(self.target.device)
        self.net.train()  # the evaluation after the last epoch left it in evaluation mode
        batches = self.batches(order, draws)
        for t, (lr, (images, labels)) in enumerate(zip(rates, batches, strict=True)):
            # In every group: the source's penalty has three, and all share one rate.
            for group in self.optimizer.param_groups:
                group["lr"] = lr
                if momenta is not None:
                    group["momentum"] = momenta[t]
            self.step(images, labels, meter)
            tell(lr)
            yield
        return meter

    def step(self, images: Tensor, labels: Tensor, meter: Meter) -> None:
        """Make one update on one batch, at the rate that the optimizer holds."""
        with self.target.autocast():
            logits = self.forward(images)
        # In fp32 and outside of autocast: bf16 has 8 significant bits, too few for small losses.
        loss = F.cross_entropy(logits.float(), labels)
        # Gradients become None, not 0: backward then hands its own memory over, where it would have to add.
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)  # now, as the meter wants the norm of the true gradient
        # What the record says was applied is read from the optimizer, just before it is.
        meter.add(self.optimizer, logits.detach(), loss.detach(), labels)
        self.scaler.step(self.optimizer)  # with fp16, none if a gradient overflowed; else optimizer.step()
        self.scaler.update()

    def evaluate(self, split: str) -> Generator[None, None, tuple[float, float]]:
        """Return mean cross-entropy and accuracy in evaluation mode, over "test" or "train"."""
        yield
        return evaluate(self.net, *self.images_of(split), self.data, self.target)

    def images_of(self, split: str) -> tuple[Tensor, Tensor]:
        """Return images and labels of "test" or "train"."""
        data = self.data
        return {
            "test": (data.test_images, data.test_labels),
            "train": (data.train_images, data.train_labels),
        }[split]

    def batches(self, order: Tensor, draws: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the epoch's batches: images augmented, then normalised; and their labels."""
        # No DataLoader: the set is on the device as it is, uint8 (CIFAR-10's train images: 154 MB, as fp32
        # 614 MB), a batch is one gather, and augmenting and normalising 128 images at once costs little.
        data, size = self.data, self.config.batch_size
        # Once an epoch, as each copy to a GPU may make the host wait; slices of them stay there.
        order, draws = order.to(self.target.device), tuple(draw.to(self.target.device) for draw in draws)
        for start in range(0, len(order), size):
            part = slice(start, start + size)  # the last batch may be smaller, and counts
            images = data.train_images[order[part]]
            if draws:
                images = augment(images, *(draw[part] for draw in draws))
            yield prepared(images, data), data.train_labels[order[part]]


def set_up(
    config: RunConfig, data: Dataset | None, target: Target
) -> tuple[Dataset, nn.Module, torch.optim.Optimizer, torch.amp.GradScaler]:
    """Return the data as the network sees them, the network at its start, its optimizer and its scaler.

    Raises ValueError if `data` are not those of the config.
    """
    # Cut to size before they travel to the device.
    data = (data or load(config.dataset)).subset(config.train_images, config.test_images)
    if config.fold is not None:
        data = data.held_out(config.fold)
    data = data.to(target.device)
    if data.name != config.dataset or len(data.train_labels) != config.images:
        raise ValueError(f"data must be {config.images} images of {config.dataset}, got {data}")
    if config.pixels == "unit":
        data = unit_pixels(data)
    if config.task == "parity":
        data = parity(data)
    net = networks.build(
        config.network,
        in_channels=data.train_images.shape[1],
        classes=len(data.class_names),
        seed=config.seed,
    )
    net = target.prepared(net)
    optimizer = optimizer_for(config, net, fused=target.fused)
    # For fp16 alone, where gradients below 6e-8 become 0: bf16 has the exponents of fp32. A scaler that is
    # not enabled hands loss and update through.
    scaler = torch.amp.GradScaler(target.device.type, enabled=target.precision == "fp16")
    return data, net, optimizer, scaler
