"""What the page on data and hardware prints: each study of recorded runs, and where it was made."""

from __future__ import annotations

from lrbook.chapters.shared import study_line
from lrbook.finding import Finding, Records
from lrlib.runs.store import studies

#: What each study asks, in the order of the page.
ASKED = {
    "survey-laptop": "Eight schedules at one shared peak rate on CIFAR-10: the study behind most figures.",
    "triangle-laptop": "Triangle against linear decay, five more seeds at the shared rate, a second look.",
    "peak-laptop": "The same network at lower peak rates.",
    "laptop-map-gpu": "Eight schedules at four peak rates on a GPU, predictions first.",
    "map15-gpu": "Eight schedules at seven peak rates on a GPU, 15 epochs, predictions first.",
    "fair-gpu": "The fair race, stage A: each schedule's own peak rate, chosen on held-out pictures.",
    "resnet50-gpu": "The survey's words on a GPU: ResNet-50, 100 epochs, eight schedules.",
    "source-gpu": "The experiment behind table 1.1, on a GPU: its network and its five schedules.",
    "snapshots": "Short runs of linear decay: independent networks, to compare a cosine's snapshots with.",
    "horizon": "Constant, drop-based and linear decay over the length of training, on CIFAR-10.",
    "survey-digits": "The same eight schedules on a tiny network and scikit-learn's digits.",
    "peak-digits": "The eight schedules over nine peak rates, on the digits.",
    "modern-digits": "The eight and ten of today's schedules over the peak rate, on folds of the digits.",
    "fair-digits": "The fair race: the same eighteen, each at the peak rate that its folds chose.",
    "rates-digits": "A constant rate at the same nine rates, seven more seeds.",
    "warmup-digits": "Linear decay with and without warm-up, at the rates where training begins to fail.",
    "warmup-rule": "When warm-up helps: momentum, batch size and peak rate, with and without it.",
    "horizon-digits": "The schedules over the length of training, on the digits.",
    "data-digits": "The schedules over the number of training images.",
    "task-digits": "An easier question about the same images: even or odd?",
    "network-digits": "The schedules on a larger network.",
    "path-fast": "Five epochs computed by the fast path, to compare with the plain one.",
    "path-plain": "The same five epochs computed by the plain path.",
    "pilot-laptop": "The first two runs on CIFAR-10, seed 0.",
}


def counts_text(records: Records | None = None) -> Finding:
    """Say how many runs there are in how many studies."""
    records = Records() if records is None else records
    names = studies()
    return Finding(
        "The book rests on {runs} recorded runs in {studies} studies.",
        {"runs": f"{sum(len(records[name]) for name in names):,}", "studies": len(names)},
        {},
    )


def studies_text(records: Records | None = None) -> Finding:
    """List the studies: what each asks, its runs, and where and with what they were made."""
    records = Records() if records is None else records
    there = studies()
    parts = [
        f"### {name}\n\n{ASKED[name]}\n\n{study_line(records[name])}"
        for name in sorted(there, key=list(ASKED).index)
    ]
    return Finding("{studies}", {"studies": "\n\n".join(parts)}, {})
