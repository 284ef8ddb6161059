"""A finding: a sentence about recorded runs whose numbers come from code, and what must be true of them.

An author writes the sentence with named blanks. Below it stand the numbers for the blanks, and then each
thing that the words claim, with whether these records bear it out. A finding that is no longer borne out
cannot be printed: `NotBorneOut` names the claim, the build stops, and the author writes a new sentence.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from statistics import fmean
from string import Formatter

from lrlib import load_runs
from lrlib.runs import Run
from lrlib.stats import PairedComparison, compare_all, final_accuracy
from lrlib.stats.rankings import by_peak


class NotBorneOut(AssertionError):
    """The records no longer say what a sentence says."""


class Finding:
    """A sentence in Markdown, the numbers in it, and each thing that it claims with whether it holds.

    Parameters
    ----------
    words : str
        What the author wrote, with ``{blanks}``; no number that was measured stands in it.
    numbers : mapping
        A text or a number for each blank, and for nothing else.
    holds : mapping
        A claim in words, and whether it is true.

    Examples
    --------
    >>> Finding("It ends at {end}.", {"end": "81.0%"}, {"it ends above 80%": True}).text
    'It ends at 81.0%.'
    """

    def __init__(self, words: str, numbers: Mapping[str, object], holds: Mapping[str, bool]) -> None:
        words = inspect.cleandoc(words)
        blanks = {name for _, name, _, _ in Formatter().parse(words) if name}
        if blanks != set(numbers):
            raise ValueError(f"blanks and numbers must be the same, got {blanks} and {set(numbers)}")
        self.text, self.holds = words.format_map(numbers), dict(holds)

    def _repr_markdown_(self) -> str:
        return self.text


class Records(dict):
    """The recorded runs by study, read on first use: ``Records()["survey-laptop"]``."""

    def __missing__(self, study: str) -> list[Run]:
        self[study] = list(_read(study))
        return self[study]

    def runs(self, study: str, label: str, **config) -> list[Run]:
        """Return the runs of one schedule, by seed; of a config such as ``epochs=5`` if one is given."""
        found = [
            run
            for run in self[study]
            if run.label == label
            and all(getattr(run.config, name) == value for name, value in config.items())
        ]
        return sorted(found, key=lambda run: run.config.seed)

    def whole_seeds(self, study: str) -> list[int]:
        """Return the seeds that are recorded under every schedule and peak rate of the study.

        What is judged in pairs by seed cannot use a seed that is recorded in part.
        """
        seeds: dict[tuple[str, float], set[int]] = {}
        for run in self[study]:
            seeds.setdefault((run.label, run.config.peak_lr), set()).add(run.config.seed)
        return sorted(set.intersection(*seeds.values()))

    def blocks(self, study: str) -> list[Run]:
        """Return the runs of the seeds that are recorded whole."""
        whole = self.whole_seeds(study)
        return [run for run in self[study] if run.config.seed in whole]

    def by_rate(self, study: str, seed: int | None = None) -> dict[str, dict[float, float]]:
        """Return the last test accuracies of a study: schedule -> peak rate -> accuracy.

        Means over the seeds that are recorded whole, or the values of one of them.
        """
        return {
            name: {
                rate: fmean(ends.values()) if seed is None else ends[seed] for rate, ends in by_rate.items()
            }
            for name, by_rate in by_peak(self.blocks(study)).items()
        }


@functools.cache
def _read(study: str) -> tuple[Run, ...]:
    """Read a study once for all findings and figures of a page; runs are frozen, so they may share it."""
    return tuple(load_runs(study))


#: Every finding of the book by its module and name; the tests go through it.
FINDINGS: dict[str, Callable[..., Finding]] = {}


def finding(heading: str | None = None) -> Callable:
    """Make a function of the records a finding: checked whenever it is printed, and tested.

    Parameters
    ----------
    heading : str or None
        A heading of the page that says the same in short. It stands and falls with the finding.
    """

    def register(write: Callable[..., Finding]) -> Callable[..., Finding]:
        @functools.wraps(write)
        def written(records: Records | None = None) -> Finding:
            found = write(Records() if records is None else records)
            wrong = [claim for claim, holds in found.holds.items() if not holds]
            if wrong:
                raise NotBorneOut(
                    f"{write.__name__}: the records do not bear out that {'; that '.join(wrong)}"
                )
            return found

        written.heading, written.unchecked = heading, write
        FINDINGS[f"{write.__module__.rpartition('.')[2]}.{write.__name__}"] = written
        return written

    return register


def percent(value: float, decimals: int = 1) -> str:
    """Return a fraction in per cent, halves rounded up.

    >>> percent(0.80964), percent(0.7741), percent(0.8225)
    ('81.0%', '77.4%', '82.3%')
    """
    return f"{rounded(100 * value, decimals)}%"


def points(difference: float, decimals: int = 1) -> str:
    """Return the size of a difference of two accuracies in percentage points, without a sign.

    >>> points(0.0355), points(-0.01286)
    ('3.6', '1.3')
    """
    return rounded(abs(100 * difference), decimals)


def rounded(value: float, decimals: int = 1) -> str:
    """Return a number with so many decimals, halves rounded up as in school.

    Twelve digits are read: 3.55 is stored as 3.54999999999999982, and means 3.55.
    """
    exact = Decimal(f"{value:.12g}")
    return str(exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def count(n: int) -> str:
    """Return a small number as a word, as prose has it: five."""
    words = ("no", "one", "two", "three", "four", "five", "six")
    words += ("seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[n] if n < len(words) else str(n)


def means(columns: Iterable[Iterable[float]]) -> list[float]:
    """Return the mean of several curves, epoch by epoch."""
    columns = [list(column) for column in columns]
    return [sum(values) / len(values) for values in zip(*columns, strict=True)]


def finals(runs: Iterable[Run]) -> list[float]:
    """Return the test accuracies after the last epoch."""
    return [final_accuracy(run) for run in runs]


def comparison(
    records: Records, schedule: str, reference: str, *, study: str = "survey-laptop"
) -> PairedComparison:
    """Return how a schedule compares with another over the seeds of a study, by the plan."""
    pairs = compare_all(records[study])
    return next(each for each in pairs if (each.schedule, each.reference) == (schedule, reference))


def verdict(records: Records, schedule: str, reference: str, *, study: str = "survey-laptop") -> str:
    """Return the plan's verdict: "better", "worse", "as good as", "not decidable"."""
    return comparison(records, schedule, reference, study=study).verdict


def between(compared: PairedComparison) -> str:
    """Return the size of a difference with its interval in points; the direction stands in the sentence.

    A bound on the other side of zero has a minus sign.

    >>> records = Records()
    >>> between(comparison(records, "drop", "constant")), between(comparison(records, "drop", "linear"))
    ('3.6 (1.2 to 5.9)', '1.3 (0.2 to 2.3)')
    >>> between(comparison(records, "time", "constant"))
    '2.1 (−0.2 to 4.4)'
    """
    sign = 1 if compared.mean_difference >= 0 else -1
    low, high = sorted(sign * bound for bound in compared.interval)
    minus = "\N{MINUS SIGN}" if low < 0 else ""
    return f"{points(compared.mean_difference)} ({minus}{points(low)} to {points(high)})"
