"""Train the networks of snapshots.toml with their weights kept, and compare what they answer.

    python studies/snapshots.py train [--folder _build/snapshots] [--together 1] [--device cuda]
    python studies/snapshots.py measure [--folder _build/snapshots] [--device cuda]

`train` does 21 runs: the plan's 15, whose records go to lrlib/recorded/snapshots as usual, and cosine5 and
linear of survey-laptop once more, seeds 1 to 3. It goes on where it was stopped, and several processes may
share the work. With ``--device cuda --together 21``, on a GPU, all records stay in the folder.

`measure` writes lrlib/recorded/snapshot-answers.json: the class that each network gives to each test picture,
and those of the means of probabilities and of weights. All that the chapter says is computed from these.
"""

from __future__ import annotations

import argparse
import base64
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from lrlib import preset
from lrlib._files import write_atomically
from lrlib.runs.config import RunConfig
from lrlib.schedules.recipes import RECIPES
from lrlib.sweeps.one_run import doing
from lrlib.sweeps.study import Planned, read_study
from lrlib.training.gpu import prepare
from lrlib.training.loop import Loop
from lrlib.training.machine import hardware, resolve
from lrlib.training.metrics import EVALUATED, prepared
from lrlib.training.run import take_turns

ROOT = Path(__file__).parents[1]
OUT = ROOT / "lrlib" / "recorded" / "snapshot-answers.json"
CYCLES, AGAIN, GROUP = 5, (1, 2, 3), 5


@dataclass(frozen=True)
class Job:
    """A run of which weights are kept, after `at` epochs each; `group` counts the short ones, from 1."""

    planned: Planned
    at: tuple[int, ...]
    group: int | None = None

    @property
    def name(self) -> str:
        return self.planned.name

    def files(self, folder: Path) -> list[Path]:
        """Return where the weights go, in the order of the run."""
        return [folder / f"{self.name}-epoch{epoch}.pt" for epoch in self.at]


def jobs(folder: Path, base: RunConfig) -> list[Job]:
    """Return the 21 runs: those of the plan, and two schedules at full length, whose records go to `folder`.

    `base` is the config of the long runs but for recipe and seed; its epochs are a multiple of `CYCLES`.
    """
    cycle = base.epochs // CYCLES
    found = []
    for number, planned in enumerate(read_study(ROOT / "studies" / "snapshots.toml").runs):
        config = base.changed(recipe=planned.config.recipe, seed=planned.config.seed, epochs=cycle)
        # The plan's record if it is the plan's run.
        record = planned.record if config == planned.config else folder / planned.record.name
        found.append(Job(Planned(config, record), (cycle,), group=1 + number // GROUP))
    for seed in AGAIN:
        for recipe, at in (("cosine5", range(cycle, base.epochs + 1, cycle)), ("linear", (base.epochs,))):
            config = base.changed(recipe=RECIPES[recipe], seed=seed)
            found.append(Job(Planned(config, folder / f"{recipe}-seed{seed}.json"), tuple(at)))
    return found


def train(some: Sequence[Job], folder: Path, *, together: int = 1) -> None:
    """Do what is missing of some jobs, in turns of `together`."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [job for job in some if not all(file.exists() for file in job.files(folder))]
    if not missing:
        return
    target = resolve(missing[0].planned.config, threads=1, together=together)

    def one(job: Job) -> Iterator[None]:
        try:
            with FileLock(folder / f"{job.name}.weights-lock", timeout=0):
                job.planned.record.unlink(missing_ok=True)  # without its weights it is of no use here
                yield from doing(job.planned, target, command="studies/snapshots.py", after_epoch=keep(job))
                print(job.name, "is trained", flush=True)
        except Timeout:
            print(job.name, "is another process's", flush=True)

    def keep(job: Job) -> Callable[[int, nn.Module], None]:
        def after_epoch(done: int, net: nn.Module) -> None:
            if done in job.at:
                weights = {key: value.detach().cpu().clone() for key, value in net.state_dict().items()}
                file = job.files(folder)[job.at.index(done)]
                write_atomically(file, lambda out: torch.save(weights, out))

        return after_epoch

    with target.own_settings():
        for _ in take_turns((one(job) for job in missing), together=together):
            pass


class Answers:
    """What networks of one shape answer to the test pictures of a config."""

    def __init__(self, config: RunConfig) -> None:
        self.target = resolve(config, threads=torch.get_num_threads())
        self.loop: Loop = prepare(config, None, self.target)
        self.images, labels = self.loop.images_of("test")
        self.labels = labels.cpu()

    @torch.no_grad()
    def probabilities(self, net: nn.Module) -> Tensor:
        """Return the probabilities of a network in evaluation mode, fp32 [pictures, classes]."""
        net.eval()
        found = []
        for some in self.images.split(EVALUATED):
            with self.target.autocast():
                logits = net(prepared(some, self.loop.data))
            found.append(logits.float().softmax(1).cpu())
        return torch.cat(found)

    def of(self, file: Path) -> Tensor:
        """Return the probabilities of the network with these weights."""
        self.loop.net.load_state_dict(torch.load(file, weights_only=True))
        return self.probabilities(self.loop.net)

    def of_mean_weights(self, files: Sequence[Path]) -> Tensor:
        """Return those of the network with the mean of some weights.

        The running statistics of its batch norms are made anew, as means over the training set.
        """
        net = self.loop.net
        net.load_state_dict(torch.load(files[0], weights_only=True))
        mean = AveragedModel(net)
        for file in files:
            net.load_state_dict(torch.load(file, weights_only=True))
            mean.update_parameters(net)
        data, size = self.loop.data, self.loop.config.batch_size
        with self.target.autocast():
            update_bn((prepared(some, data) for some in data.train_images.split(size)), mean)
        return self.probabilities(mean)


def packed(classes: Tensor) -> str:
    """Return classes below 256 as text: base64 of what zlib makes of a byte each."""
    return base64.b64encode(zlib.compress(bytes(classes.tolist()), 9)).decode()


def measure(some: Sequence[Job], folder: Path) -> dict:
    """Return the classes that the networks answer, and those of their means, by name.

    ``cosine5-seed1-epoch12`` is a network; ``cosine5-seed1-last2`` is the mean probability of the last two
    snapshots, ``cosine5-seed1-weights2`` the network with the mean of their weights; ``group1-first3`` is the
    mean probability of the first three short runs, ``group1-weights5`` the network with the mean of all five
    weights.
    """
    there = Answers(some[0].planned.config)
    found: dict[str, Tensor] = {}
    with there.target.own_settings():
        for job in some:
            files = job.files(folder)
            each = [there.of(file) for file in files]
            found |= {file.stem: one for file, one in zip(files, each, strict=True)}
            if len(files) > 1:
                for last in range(2, len(files) + 1):
                    found[f"{job.name}-last{last}"] = torch.stack(each[-last:]).mean(0)
                    found[f"{job.name}-weights{last}"] = there.of_mean_weights(files[-last:])
        for group in sorted({job.group for job in some if job.group}):
            files = [job.files(folder)[0] for job in some if job.group == group]
            each = [found[file.stem] for file in files]
            for first in range(2, len(files) + 1):
                found[f"group{group}-first{first}"] = torch.stack(each[:first]).mean(0)
            found[f"group{group}-weights{len(files)}"] = there.of_mean_weights(files)
    return {
        "torch": torch.__version__,
        "hardware": hardware(there.target.device),
        "how": there.target.how,
        "pictures": len(there.labels),
        "labels": packed(there.labels),
        "answers": {name: packed(one.argmax(1)) for name, one in found.items()},
    }


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("verb", choices=("train", "measure"))
    parser.add_argument("--folder", type=Path, default=ROOT / "_build" / "snapshots")
    parser.add_argument("--together", type=int, default=1)
    parser.add_argument("--device", choices=("auto", "cuda"), default="auto")
    options = parser.parse_args(words)
    some = jobs(options.folder, preset("laptop", recipe="linear", seed=1, device=options.device))
    if options.verb == "train":
        train(some, options.folder, together=options.together)
    else:
        found = json.dumps(measure(some, options.folder), indent=1) + "\n"
        write_atomically(OUT, lambda file: file.write(found.encode()))
        print(OUT)


if __name__ == "__main__":
    main()
