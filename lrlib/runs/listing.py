"""Records as text, for a terminal: one line, a table of the epochs, the records of a folder."""

from __future__ import annotations

from pathlib import Path

from lrlib.runs.record import Run


def summary(run: Run) -> str:
    """Return one line with what a run ended with."""
    last = run.epochs[-1]
    parts = [
        f"{run.config.network} on {run.config.dataset}, {run.label}, seed {run.config.seed}: {run.status} "
        f"after {len(run.epochs)} epochs"
    ]
    if run.final is not None:
        parts.append(f"training accuracy {run.final.train_accuracy:.4f}")
    parts.append(f"test accuracy {last.test_accuracy:.4f}")
    parts.append(f"training cross-entropy {last.train_loss:.4f}, test {last.test_loss:.4f}")
    return ", ".join(parts)


def table(run: Run) -> str:
    """Return what was run, epoch by epoch, and where it comes from.

    Examples
    --------
    >>> from lrlib.runs.store import load_runs
    >>> lines = table(load_runs("pilot-laptop")[0]).splitlines()
    >>> len(lines), lines[2].split()[:3]  # the summary, the head, 30 epochs, two lines on the provenance
    (34, ['1', '0.1', '0.1'])
    """
    head = ("epoch", "first rate", "last rate", "train loss", "train acc", "test loss", "test acc", "seconds")
    lines = [summary(run), "".join(f"{name:>11}" for name in head)]
    lines += [
        f"{e.epoch + 1:>11}{e.first_lr:>11.3g}{e.last_lr:>11.3g}{e.train_loss:>11.4f}"
        f"{e.train_accuracy:>11.4f}{e.test_loss:>11.4f}{e.test_accuracy:>11.4f}{e.seconds:>11.1f}"
        for e in run.epochs
    ]
    lines.append(run.provenance_line())
    for part in run.provenance.earlier:
        times = f" ({part.parts} parts)" if part.parts > 1 else ""
        how = f"on {part.hardware} with torch {part.versions['torch']}"
        lines.append(f"Before{times}: {part.started} {how}; commit {(part.commit or 'unknown')[:10]}.")
    return "\n".join([*lines, f"Command: {run.provenance.command}"])


def contents(folder: Path, name: str) -> str:
    """Return the records of a folder as commands that show them; `name` stands for the folder in these.

    Examples
    --------
    >>> from lrlib.runs.store import RECORDED
    >>> print(contents(RECORDED / "pilot-laptop", "pilot-laptop"))
    pilot-laptop holds 2 records; show one of them:
      lrlib show pilot-laptop/laptop-constant-seed0.json
      lrlib show pilot-laptop/laptop-linear-seed0.json
    """
    names = sorted(file.name for file in folder.glob("*.json"))
    if not names:
        return f"{name} holds no records"
    count = "1 record; show it" if len(names) == 1 else f"{len(names)} records; show one of them"
    return "\n".join(
        [f"{name} holds {count}:", *(f"  lrlib show {name.rstrip('/')}/{each}" for each in names)]
    )
