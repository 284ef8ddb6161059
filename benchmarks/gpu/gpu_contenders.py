"""What is raced: each contender trains one network and tells a clock of its updates.

`race.py` starts a process for each, which reads everything it needs and then waits for its turn. Rows of one
`family` share a process: what is captured for one run alone is the first of two, four, five or eight at once.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from time import perf_counter

sys.path.extend(map(str, Path(__file__).resolve().parents[:3]))  # where contenders and lrlib lie
import contenders
from contenders import BATCH, DECAY, LR, MOMENTUM, PRESETS, network_of
from roofline import kernels

WARM_UP = 12  # updates of a peer that do not count: torch.compile's mode needs some before it replays
LEAST_BLOCKS, MOST_BLOCKS = 3, 40


@dataclass
class Setting:
    """What all contenders on one network share; `updates` are those of a block of one run."""

    network: str
    device: str
    updates: int
    noise: bool
    loops: dict = field(default_factory=dict)
    streams: list = field(default_factory=list)

    @property
    def cuda(self) -> bool:
        return self.device == "cuda"

    @cached_property
    def data(self):
        """The pictures that peers draw batches from: on a GPU as many as an epoch has, in whole batches."""
        n = BATCH * (390 if self.cuda else self.updates)
        return contenders.noise(n) if self.noise else contenders.pictures(n)

    @cached_property
    def resident(self):
        """The pictures of one block on the device, as the network sees them."""
        from lrlib.training.metrics import unit_pixels

        data = self.data.subset(BATCH * self.updates)
        data = unit_pixels(data) if self.config.pixels == "unit" else data
        return data.to(self.device)

    @cached_property
    def config(self):
        from lrlib import preset

        n = BATCH * self.updates
        return preset(
            PRESETS[self.network],
            recipe="linear",
            train_images=n,
            test_images=1,
            precision="bf16" if self.half else "fp32",
            device=self.device,
        )

    @cached_property
    def half(self) -> bool:
        """Whether there is bf16: on a processor without it a rehearsal would take minutes."""
        from lrlib.training.machine import native_precision

        return self.cuda or native_precision("cpu") == "bf16"

    def batches(self) -> Iterator:
        """Yield batches of the DataLoader without end, on the CPU."""
        while True:
            yield from self.loader

    @cached_property
    def loader(self):
        workers = max(1, (os.cpu_count() or 1) - 2)
        return contenders.loader(self.network, self.data, workers=workers, pin=self.cuda)


class Clock:
    """Counts the updates of a contender and tells the seconds of each block of them.

    A block ends with the device at rest: the host's clock is read after `torch.cuda.synchronize()`. The first
    block is warm-up: it is shorter if updates are counted one by one, and is not told.
    """

    def __init__(self, setting: Setting, seconds: float, tell: Callable[..., None]) -> None:
        self.setting, self.seconds, self.tell = setting, seconds, tell
        self.count, self.blocks, self.begun = 0, -1, 0.0
        self.warm_up = min(WARM_UP, setting.updates)

    def update(self) -> bool:
        """Count an update; return True if the contender may stop."""
        self.count += 1
        size = self.warm_up if self.blocks < 0 else self.setting.updates
        return self.count == size and self.lap(size)

    def lap(self, updates: int) -> bool:
        """End a block of so many updates (of all runs together); return True if the contender may stop."""
        if self.setting.cuda:
            import torch

            torch.cuda.synchronize()
        now = perf_counter()
        if self.blocks < 0:
            self.end = now + self.seconds
        else:
            self.tell(block=[round(now - self.begun, 6), updates])
        self.count, self.begun, self.blocks = 0, perf_counter(), self.blocks + 1
        return self.blocks >= MOST_BLOCKS or (self.blocks >= LEAST_BLOCKS and now >= self.end)


def update(net, optimizer, images, labels, *, half: bool) -> None:
    """The update of every tutorial, in bf16 by autocast if `half`."""
    import torch
    import torch.nn.functional as F

    optimizer.zero_grad()
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=half):
        loss = F.cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step()


def peer(setting: Setting, *, better: bool):
    """Return network and optimizer of a peer; `better` is what every tuning guide says beside bf16."""
    import torch

    net = network_of(setting.network).to(setting.device)
    if better:
        net = net.to(memory_format=torch.channels_last)
        torch.backends.cudnn.benchmark = True
    numbers = dict(lr=LR, momentum=MOMENTUM, weight_decay=DECAY[setting.network])
    return net, torch.optim.SGD(net.parameters(), **numbers)


def plain(setting: Setting, clock: Clock, *, better: bool = False) -> None:
    """The recipe that people copy; `better` adds bf16, channels last and cuDNN's choice by the clock."""
    import torch

    net, optimizer = peer(setting, better=better)
    layout = torch.channels_last if better else torch.preserve_format
    for images, labels in setting.batches():
        images = images.to(setting.device, non_blocking=True, memory_format=layout)
        labels = labels.to(setting.device, non_blocking=True)
        update(net, optimizer, images, labels, half=better and setting.half)
        if clock.update():
            return


def lightning(setting: Setting, clock: Clock) -> None:
    """Lightning's Trainer in its "bf16-mixed", same network and loader."""
    import logging
    import warnings

    import torch.nn.functional as F
    from lightning import pytorch as pl
    from torch.optim import SGD

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network_of(setting.network)

        def training_step(self, batch, _):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def on_train_batch_end(self, *_) -> None:
            if clock.update():
                self.trainer.should_stop = True

        def configure_optimizers(self):
            decay = DECAY[setting.network]
            return SGD(self.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=decay)

    trainer = pl.Trainer(
        max_epochs=-1,
        accelerator="gpu" if setting.cuda else "cpu",
        devices=1,
        precision="bf16-mixed" if setting.half else "32-true",
        benchmark=True,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), setting.loader)


def compiled(setting: Setting, clock: Clock) -> None:
    """`plain` with bf16 through torch.compile in the mode "reduce-overhead", pictures on the device.

    The batches are cut, augmented and normalised there, as lrlib does it: no loader holds it back.
    """
    import torch

    from lrlib.training.metrics import prepared
    from lrlib.training.randomness import augment

    data = setting.resident
    net, optimizer = peer(setting, better=True)
    net = torch.compile(net, mode="reduce-overhead")
    n = len(data.train_labels)
    draw = partial(torch.randint, device=setting.device)
    while True:
        which = draw(n, (BATCH,))
        images = data.train_images[which]
        if setting.config.augmentation != "none":
            images = augment(images, draw(2, (BATCH,)).bool(), draw(-4, 5, (BATCH, 2)))
        torch.compiler.cudagraph_mark_step_begin()
        update(net, optimizer, prepared(images, data), data.train_labels[which], half=setting.half)
        if clock.update():
            return


def company(setting: Setting, target, n: int) -> list[tuple]:
    """Return n runs' loops, each with the stream that it was made on; those there are already stay.

    A stream is made once for each place. torch has 32 and then begins again, and graphs that are captured on
    one stream share memory that two runs at the same time would both write.
    """
    import torch

    from lrlib.training.gpu import prepare

    loops = setting.loops.setdefault((target.path, target.deterministic), [])
    data = setting.resident
    if setting.cuda:
        torch.cuda.synchronize()  # the pictures are there, whatever stream reads them
    while len(setting.streams) < n:
        setting.streams.append(torch.cuda.Stream() if setting.cuda else None)
    while len(loops) < n:
        config = setting.config.changed(seed=len(loops))
        with torch.cuda.stream(setting.streams[len(loops)]):
            loops.append(prepare(config, data, target))
    return list(zip(loops[:n], setting.streams, strict=False))


def plan(loop, number: int) -> tuple:
    """Return order, draws and rates of an epoch, as a run has them."""
    from lrlib.training.randomness import draw_augmentation, permutation

    config, schedule = loop.config, loop.config.schedule()
    first = number * config.steps_per_epoch
    order = permutation(config.images, seed=config.seed, epoch=number)
    draws = draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=number)
    return order, draws, [config.peak_lr * schedule(first + t) for t in range(config.steps_per_epoch)]


def lrlib(
    setting: Setting, clock: Clock, *, path: str = "graph", together: int = 1, deterministic: bool = False
) -> None:
    """lrlib's own epochs, with all that a record needs of them: meters, rates laid out and read back.

    A block is an epoch of each run, an update of each in turn.
    """
    import torch

    from lrlib.training.machine import resolve

    target = resolve(setting.config, path=path, together=together, deterministic=deterministic)
    with target.own_settings():
        runs = company(setting, target, together)
        for number in count():
            going = [(loop.epoch(*plan(loop, number)), stream) for loop, stream in runs]
            while going:
                for epoch, stream in list(going):
                    with torch.cuda.stream(stream):
                        if next(epoch, "over") == "over":
                            going.remove((epoch, stream))
            if clock.lap(setting.updates * together):
                return


def limit(setting: Setting, clock: Clock) -> None:
    """The captured update replayed and nothing else: one epoch laid out once, nothing read."""
    with ready(setting) as loop:
        while True:
            loop.done.zero_()
            for once in loop.updates:
                once()
            if clock.lap(setting.updates):
                return


def profiled(setting: Setting, clock: Clock) -> dict:
    """The kernels of the update that is captured, called directly under the profiler."""
    with ready(setting) as loop:
        loop.direct[0]()
        loop.done.zero_()
        return {"kernels": kernels(loop.direct[0], cuda=setting.cuda)}


@contextmanager
def ready(setting: Setting) -> Iterator:
    """Give lrlib's graph loop of one run with an epoch laid out, on its stream and in its settings."""
    import torch

    from lrlib.training.machine import resolve

    target = resolve(setting.config, path="graph")
    with target.own_settings():
        ((loop, stream),) = company(setting, target, 1)
        with torch.cuda.stream(stream):
            loop.lay_out(*plan(loop, 0))
            yield loop


#: In order of importance, where time is short.
CONTENDERS: dict[str, Callable] = {
    "lrlib_graph": lrlib,
    "limit": limit,
    "plain": plain,
    "plain_bf16": partial(plain, better=True),
    "lightning": lightning,
    **{f"lrlib_graph_{n}": partial(lrlib, together=n) for n in (2, 4, 5, 8)},
    "kernels": profiled,
    "lrlib_fast": partial(lrlib, path="fast"),
    "lrlib_graph_deterministic": partial(lrlib, deterministic=True),
    "lrlib_plain": partial(lrlib, path="plain"),
    "compiled": compiled,
}


def memory(setting: Setting) -> dict[str, float]:
    """Return the most memory in use until now, in GB of 10^9 bytes.

    `reserved_gb` is what torch asked of the GPU. With several captured graphs it is the more telling number:
    what a graph needs while it runs is kept for it, but counts as allocated only while it is captured.
    """
    if not setting.cuda:
        return {"memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9}
    import torch

    return {
        "memory_gb": torch.cuda.max_memory_allocated() / 1e9,
        "reserved_gb": torch.cuda.max_memory_reserved() / 1e9,
    }


def reason(error: BaseException) -> str:
    """Return an error as one short line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:120] if text else type(error).__name__


def serve(setting: Setting, lines: Iterator[str], tell: Callable[..., None]) -> None:
    """Answer lines of JSON: for each a contender runs, tells its blocks, and at last what it is done with.

    The first that fails is the last one: the process may be left in a state that spoils the next.
    """
    from torch import device

    from lrlib.training.machine import hardware

    for line in lines:
        asked = json.loads(line)
        try:
            clock = Clock(setting, asked["seconds"], tell)
            facts = CONTENDERS[asked["contender"]](setting, clock) or {}
            tell(done={**facts, **memory(setting), "hardware": hardware(device(setting.device))})
        except Exception as error:
            traceback.print_exc()
            tell(failed=reason(error))
            return


def main() -> None:
    """Read everything that contenders of this family need, say so, and wait on standard input."""
    family, network, device, updates, noise = sys.argv[1:]
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes elsewhere

    def tell(**message) -> None:
        answer.write(json.dumps(message) + "\n")
        answer.flush()

    setting = Setting(network, device, int(updates), noise == "noise")
    with suppress(Exception):  # whoever needs what is missing fails in its turn, and says why
        import lrlib.training.run  # noqa: F401

        _ = setting.data
        if family == "lightning":
            import lightning.pytorch  # noqa: F401
        elif not family.startswith("lrlib"):
            import torchvision.transforms  # noqa: F401
    tell(ready=True)
    serve(setting, iter(sys.stdin.readline, ""), tell)


if __name__ == "__main__":
    main()
