"""What is timed: each contender trains one network and notes the time after every update.

A contender is a generator. It sets itself up; each `next` then trains some updates and yields the times.
`benchmarks/throughput.py` runs each in a process of its own and wakes them in turn.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator

BATCH = 128
LR, MOMENTUM = 0.1, 0.9
PRESETS = {"resnet10": "laptop", "resnet50": "resnet50", "source_resnet": "source"}
DECAY = {"resnet10": 1e-4, "resnet50": 5e-4, "source_resnet": 2e-4}
WARM_UP = 2  # updates of each round that do not count


def pictures(n: int):
    """The first n training pictures of CIFAR-10, uint8 [n, 3, 32, 32], and labels; else noise."""
    from lrlib.training import dataset as data

    try:
        return data.load("cifar10").subset(n, BATCH)
    except data.DataError:
        return noise(n)


def noise(n: int):
    """n pictures of CIFAR-10's shape whose pixels and labels are drawn at random."""
    import torch

    from lrlib.training import dataset as data

    source = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, 3, 32, 32), generator=source, dtype=torch.uint8)
    labels = torch.randint(0, 10, (n,), generator=source)
    names = tuple("0123456789")
    return data.Dataset(
        "cifar10", images, labels, images[:BATCH], labels[:BATCH], (0.5,) * 3, (0.25,) * 3, names
    )


def loader(network: str, data, *, workers: int = 2, pin: bool = False):
    """The recipe that people copy: PIL pictures, torchvision's transforms, a DataLoader with workers."""
    import torch
    from PIL import Image
    from torchvision import transforms

    from lrlib import preset

    config = preset(PRESETS[network], recipe="linear")
    arrays = data.train_images.permute(0, 2, 3, 1).contiguous().numpy()
    labels = data.train_labels.tolist()
    steps = [transforms.ToTensor()]
    if config.augmentation == "flip_shift":
        steps = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *steps]
    if config.pixels == "standardised":
        steps.append(transforms.Normalize(data.mean, data.std))
    transform = transforms.Compose(steps)

    class Pictures(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, i: int):
            return transform(Image.fromarray(arrays[i])), labels[i]

    return torch.utils.data.DataLoader(
        Pictures(),
        batch_size=BATCH,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        pin_memory=pin,
    )


def network_of(name: str):
    from lrlib.training import networks as models

    return models.build(name, in_channels=3, classes=10, seed=0)


def plain(network: str, n: int, *, better: bool = False) -> Iterator[list[float]]:
    """The loop of every tutorial; `better` adds what every tuning guide says: bf16 and channels last."""
    import torch
    import torch.nn.functional as F

    batches, net = loader(network, pictures(n)), network_of(network)
    if better:
        net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY[network])
    while True:
        times = []
        for images, labels in batches:
            if better:
                images = images.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=better):
                loss = F.cross_entropy(net(images), labels)
            loss.backward()
            optimizer.step()
            times.append(time.perf_counter())
        yield times


def plain_bf16(network: str, n: int) -> Iterator[list[float]]:
    return plain(network, n, better=True)


def lightning(network: str, n: int) -> Iterator[list[float]]:
    """Lightning's Trainer, same network and loader, with its own bf16."""
    import logging
    import warnings

    import torch.nn.functional as F
    from lightning import pytorch as pl
    from torch.optim import SGD

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    times: list[float] = []

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network_of(network)

        def training_step(self, batch, _):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def on_train_batch_end(self, *_):
            times.append(time.perf_counter())

        def configure_optimizers(self):
            return SGD(self.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=1e-4)

    batches, module = loader(network, pictures(n)), Module()
    while True:
        times.clear()
        trainer = pl.Trainer(
            max_epochs=1,
            accelerator="cpu",
            precision="bf16-mixed",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, batches)
        yield list(times)


def keras(network: str, n: int) -> Iterator[list[float]]:
    """Keras 3 with the backend of KERAS_BACKEND and its mixed_bfloat16, arrays in memory."""
    import keras

    keras.utils.set_random_seed(0)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    data = pictures(n)
    x = data.train_images.permute(0, 2, 3, 1).contiguous().numpy().astype("float32") / 255
    y = data.train_labels.numpy()
    net = {"resnet10": keras_resnet10, "resnet50": keras_resnet50}[network](keras)
    net.compile(
        optimizer=keras.optimizers.SGD(LR, momentum=MOMENTUM, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    times: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            times.append(time.perf_counter())

    while True:
        times.clear()
        net.fit(x, y, batch_size=BATCH, epochs=1, verbose=0, callbacks=[Clock()])
        yield list(times)


def keras_torch(network: str, n: int) -> Iterator[list[float]]:
    os.environ["KERAS_BACKEND"] = "torch"
    return keras(network, n)


def keras_jax(network: str, n: int) -> Iterator[list[float]]:
    os.environ["KERAS_BACKEND"] = "jax"
    return keras(network, n)


def keras_resnet10(keras):
    layers = keras.layers

    def conv(x, width, stride=1):
        x = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    def residual(x, width):
        return layers.add([x, conv(conv(x, width), width)])

    pictures = keras.Input((32, 32, 3))
    x = residual(conv(pictures, 32, stride=2), 32)
    x = residual(layers.MaxPooling2D(2)(conv(x, 64)), 64)
    x = residual(layers.MaxPooling2D(2)(conv(x, 128)), 128)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pictures, layers.Dense(10, dtype="float32")(x))


def keras_resnet50(keras):
    """Keras's own: its first 1x1 convolution of a stage has the stride: a little less work."""
    return keras.applications.ResNet50(
        weights=None, input_shape=(32, 32, 3), classes=10, classifier_activation=None
    )


def lrlib(network: str, n: int, path: str = "fast") -> Iterator[list[float]]:
    """lrlib.training.run.train itself: meters, fingerprints, record and all; the evaluation is left out."""
    from torch.optim.optimizer import register_optimizer_step_post_hook

    from lrlib import preset
    from lrlib.training.run import train

    times: list[float] = []
    register_optimizer_step_post_hook(lambda *_: times.append(time.perf_counter()))
    data = pictures(n)
    config = preset(
        PRESETS[network], recipe="linear", epochs=1, train_images=n, test_images=1, precision="bf16"
    )
    while True:
        times.clear()
        train(config, data=data, progress=False, path=path)
        yield list(times)


def lrlib_plain(network: str, n: int) -> Iterator[list[float]]:
    return lrlib(network, n, path="plain")


def lrlib_compiled(network: str, n: int) -> Iterator[list[float]]:
    """The same through torch's compiler. Each round compiles anew, in the updates that do not count."""
    return lrlib(network, n, path="compiled")


def limit(network: str, n: int) -> Iterator[list[float]]:
    """Forward, backward and update of the fast path on one resident batch: nothing else."""
    import torch
    import torch.nn.functional as F

    from lrlib import preset
    from lrlib.training.machine import resolve
    from lrlib.training.metrics import prepared, unit_pixels
    from lrlib.training.optimizers import optimizer_for

    config = preset(PRESETS[network], recipe="linear", train_images=n, precision="bf16")
    target = resolve(config, path="fast")
    data = pictures(n)
    data = unit_pixels(data) if config.pixels == "unit" else data
    net = target.prepared(network_of(network)).train()
    optimizer = optimizer_for(config, net, fused=target.fused)
    images, labels = prepared(data.train_images[:BATCH], data), data.train_labels[:BATCH]
    images = images.to(torch.bfloat16)
    while True:
        times = []
        for _ in range(n // BATCH):
            with target.autocast():
                logits = net(images)
            optimizer.zero_grad()
            F.cross_entropy(logits.float(), labels).backward()
            optimizer.step()
            times.append(time.perf_counter())
        yield times


def evaluation(network: str, n: int) -> Iterator[list[float]]:
    """lrlib's evaluation of n pictures; a time before and one after, as if it were one update."""
    from lrlib import preset
    from lrlib.training.machine import resolve
    from lrlib.training.metrics import evaluate

    config = preset(PRESETS[network], recipe="linear", train_images=n, precision="bf16")
    target, data = resolve(config, path="fast"), pictures(n)
    net = target.prepared(network_of(network))
    while True:
        times = [time.perf_counter()]
        evaluate(net, data.train_images, data.train_labels, data, target)
        yield [*times, time.perf_counter()]


def peak(network: str, n: int) -> Iterator[list[float]]:
    """bf16 matrix products of 4096x2048 by 2048x2048: the most that this machine's matrix units do."""
    import torch

    a, b = torch.randn(4096, 2048).bfloat16(), torch.randn(2048, 2048).bfloat16()
    while True:
        times = []
        for _ in range(12):
            a @ b
            times.append(time.perf_counter())
        yield times


PEAK_FLOPS = 2 * 4096 * 2048 * 2048


def multiply_adds(net, size: int = 32) -> int:
    """Nominal multiply-adds of a picture's forward pass, padding included: convolutions and linear layers.

    `net` is a network for colour pictures of `size` x `size` pixels, or the name of one of ours.
    """
    import torch
    from torch import nn

    total = 0

    def count(module, _, out):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += out[0].numel() * module.weight[0].numel()
        else:
            total += module.weight.numel()

    net = (network_of(net) if isinstance(net, str) else net).eval()
    hooks = [
        module.register_forward_hook(count)
        for module in net.modules()
        if isinstance(module, (nn.Conv2d, nn.Linear))
    ]
    with torch.no_grad():
        net(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return total


def main() -> None:
    """Serve one contender: each line on standard input asks for one round, answered in one line of JSON."""
    name, network, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes elsewhere
    rounds = globals()[name](network, n)
    for _ in sys.stdin:
        times = next(rounds)
        usage = [
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        answer.write(json.dumps({"times": times, "memory_mb": max(usage) / 1024}) + "\n")
        answer.flush()


if __name__ == "__main__":
    main()
