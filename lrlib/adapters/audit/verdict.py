"""What a comparison of applied rates with a plan says."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

import numpy as np

from lrlib.adapters.audit.causes import advice_for

WIDTH = 72  # of a verdict's sentences, in characters: what a column of the book and half a screen hold


@dataclass(frozen=True)
class Reading:
    """One way to read the applied rates.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    text : str
        The reading in a sentence, with its numbers.
    numbers : dict
        The same numbers by name.

    Examples
    --------
    >>> from lrlib import LinearDecay, audit
    >>> plan = LinearDecay(total_steps=60)
    >>> reading = audit.compare(plan.values(60)[1:], plan, peak_lr=1.0).readings[0]
    >>> reading.kind, reading.numbers
    ('shift_ahead', {'k': 1})
    >>> reading.causes[0]
    'scheduler.step() comes before optimizer.step()'
    >>> print(reading.mended)
    optimizer.step()
    scheduler.step()  # after the update
    """

    kind: str
    text: str
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def causes(self) -> tuple[str, ...]:
        """What may lie behind it, as examples: the same rates can have several causes."""
        return advice_for(self.kind, self.numbers).causes

    @property
    def mended(self) -> str | None:
        """Lines of a PyTorch loop without this fault, where there are some."""
        return advice_for(self.kind, self.numbers).mended


@dataclass(frozen=True)
class Verdict:
    """Applied rates beside a plan: whether they agree, and if not, what it looks like.

    ``str`` gives sentences, a notebook shows a table, `plot` draws both curves.

    Attributes
    ----------
    agrees : bool
    rates, planned : arrays of floats
        Rate of each applied update, and the plan's.
    start : int
        Number of the first update.
    first : int or None
        First update that differs, None if none does.
    differ : int
        How many differ.
    readings : tuple of Reading
        What leads: each explains all updates, or says that it does not. Empty if the rates agree.
    also : tuple of Reading
        Other ways to read the same numbers.
    notes : tuple of Reading
        What is true and no fault, such as a first update with rate 0.
    sure : bool
        True if `readings` explains every update, from several that tell, and no other reading does.
    number : int
        Parameter group.
    groups : tuple of Verdict
        One a parameter group.

    Examples
    --------
    >>> from lrlib import LinearDecay, audit
    >>> plan = LinearDecay(total_steps=60)
    >>> verdict = audit.compare([0.1 * plan(t // 10) for t in range(60)], plan, peak_lr=0.1)
    >>> verdict.agrees, verdict.kind, verdict.sure, verdict.first
    (False, 'stepped_per_epoch', True, 1)
    >>> print(verdict)
    The applied rates part from the plan at update 1: 59 of 60 differ.
      stepped_per_epoch: the scheduler moves once every 10 updates but its
        numbers count updates: after 60 updates it stands at 5 of 60.
      For example: scheduler.step() is called after each epoch, while its
        numbers count updates; Lightning steps a scheduler once an epoch
        unless its dictionary says 'interval': 'step'.
      Mended:
          for batch in loader:
              ...
              optimizer.step()
              scheduler.step()  # an update, not an epoch
    """

    agrees: bool
    rates: np.ndarray
    planned: np.ndarray
    start: int = 0
    first: int | None = None
    differ: int = 0
    readings: tuple[Reading, ...] = ()
    also: tuple[Reading, ...] = ()
    notes: tuple[Reading, ...] = ()
    sure: bool = True
    number: int = 0
    groups: tuple[Verdict, ...] = ()

    @property
    def kind(self) -> str:
        """Kind of the leading reading, or ``"agrees"``."""
        return "agrees" if self.agrees else self.readings[0].kind

    def among(self, verdicts: Sequence[Verdict]) -> Verdict:
        """Return this verdict with those of all parameter groups in `groups`."""
        numbered = tuple(replace(verdict, number=place) for place, verdict in enumerate(verdicts))
        here = next(place for place, verdict in enumerate(verdicts) if verdict is self)
        return replace(self, number=here, groups=numbered)

    def __str__(self) -> str:
        lines = textwrap.wrap(self._headline(), WIDTH)

        def say(text: str) -> None:
            lines.extend(textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    "))

        for reading in self.readings:
            say(f"{reading.kind}: {reading.text}.")
        for reading in self.readings[:1]:
            if reading.causes:
                say("For example: " + "; ".join(reading.causes) + ".")
            if reading.mended:
                lines += ["  Mended:", *(f"      {line}" for line in reading.mended.splitlines())]
        for reading in self.also:
            say(f"Or {reading.kind}: {reading.text}.")
        for reading in self.notes:
            say(f"Note: {reading.text}.")
        for verdict in self.groups:
            if verdict.number != self.number:
                say(f"Parameter group {verdict.number}: {verdict._short()}.")
        return "\n".join(lines)

    def _short(self) -> str:
        return "agrees" if self.agrees else f"{self.kind}: {self.readings[0].text}"

    def _headline(self) -> str:
        where = f"Parameter group {self.number}: " if len(self.groups) > 1 else ""
        n = len(self.rates)
        if self.agrees:
            return f"{where}The {n:,} applied rates agree with the plan."
        sure = "" if self.sure or self.kind == "unknown" else " The numbers allow more than one reading."
        text = (
            f"The applied rates part from the plan at update {self.first:,}: {self.differ:,} of {n:,} differ."
        )
        return f"{where}{text}{sure}"

    def _repr_html_(self) -> str:
        def line(label: str, text: str) -> str:
            return f"<tr><th scope='row'>{html.escape(label)}</th><td>{text}</td></tr>"

        rows = []
        for reading in self.readings:
            rows.append(line(reading.kind.replace("_", " "), html.escape(reading.text) + "."))
        for reading in self.readings[:1]:
            if reading.causes:
                items = "".join(f"<li>{html.escape(cause)}</li>" for cause in reading.causes)
                rows.append(line("for example", f"<ul>{items}</ul>"))
            if reading.mended:
                rows.append(line("mended", f"<pre>{html.escape(reading.mended)}</pre>"))
        for reading in self.also:
            rows.append(line("or", html.escape(f"{reading.kind.replace('_', ' ')}: {reading.text}") + "."))
        for reading in self.notes:
            rows.append(line("note", html.escape(reading.text) + "."))
        for verdict in self.groups:
            if verdict.number != self.number:
                rows.append(line(f"group {verdict.number}", html.escape(verdict._short()) + "."))
        body = f"<table>{''.join(rows)}</table>" if rows else ""
        return f"<p>{html.escape(self._headline())}</p>{body}"

    def plot(self) -> Any:
        """Draw the applied rates over the planned ones; see `lrlib.plots.plot_verdict` (needs matplotlib)."""
        # By name: plots stands above adapters, and nobody who only asks for a verdict should need matplotlib.
        return import_module("lrlib.plots").plot_verdict(self)
