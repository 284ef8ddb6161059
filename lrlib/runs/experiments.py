"""The experiments of the book in one table: what each is, its study, and the schedules that it has."""

from __future__ import annotations

from dataclasses import dataclass

from lrlib.runs.config import PRESETS, RunConfig
from lrlib.runs.store import preferred_study
from lrlib.schedules.recipes import SOURCE, SURVEY

__all__ = ["EXPERIMENTS", "Experiment", "study_of"]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One network on one data set, trained with several schedules.

    Parameters
    ----------
    title : str
        Two words at most, for the head of a column.
    studies : tuple of str
        Its studies (where a GPU recorded one too, see `lrlib.runs.store.preferred_study`); none for print.
    preset : str or None
        The preset of its runs; a live run of that preset is laid over them.
    schedules : tuple of str
        Labels of the schedules that it has.
    column : tuple of (str, str) or None
        Title and note of its part of table 1.1; None if it has none.

    Examples
    --------
    >>> EXPERIMENTS["rates"].studies
    ('peak-digits', 'rates-digits')
    """

    title: str
    studies: tuple[str, ...]
    preset: str | None = None
    schedules: tuple[str, ...] = SURVEY
    column: tuple[str, str] | None = None


#: The experiments by name, in the order of the claims page and of table 1.1.
EXPERIMENTS: dict[str, Experiment] = {
    "logs": Experiment(
        title="published logs",
        studies=(),
        schedules=SOURCE,
    ),
    "source": Experiment(
        title="source",
        studies=("source",),
        preset="source",
        schedules=SOURCE,
        column=(
            "Our runs of the source's experiment",
            "Its own network, data and schedules; last epoch.",
        ),
    ),
    "resnet50": Experiment(
        title="ResNet-50",
        studies=("resnet50",),
        preset="resnet50",
        column=(
            "Our runs of what the survey's words say",
            "ResNet-50, images flipped and shifted, drop by half every 10 epochs; last epoch.",
        ),
    ),
    "laptop": Experiment(
        title="laptop",
        studies=("survey-laptop",),
        preset="laptop",
        column=("Our small network, over seeds", "Preset laptop, 30 epochs, seeds 1 to 5; last epoch."),
    ),
    "digits": Experiment(
        title="digits",
        studies=("survey-digits",),
        preset="digits",
    ),
    "rates": Experiment(
        title="rate grid",
        studies=("peak-digits", "rates-digits"),
    ),
}


def study_of(config: RunConfig) -> str:
    """Return the name of the study that has the survey's schedules on the network and data of `config`.

    Examples
    --------
    >>> from lrlib import preset
    >>> study_of(preset("digits", recipe="linear"))
    'survey-digits'
    """
    if config.dataset == "digits":
        return "survey-digits"
    for each in EXPERIMENTS.values():
        if each.preset and PRESETS[each.preset]["network"] == config.network:
            return preferred_study(each.studies[0])
    return preferred_study("survey-laptop")
