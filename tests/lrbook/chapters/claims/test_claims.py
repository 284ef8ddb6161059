"""The survey's sentences: what the page says of each stands on the records, and falls when they change."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files

import pytest

import findings as rules
from claim_cases import drop_run, printed, ramp, run
from findings import constants, measured, without
from lrbook.chapters import claims
from lrbook.chapters.claims import verdicts
from lrbook.chapters.claims.definitions import FAILS, HOLDS, IN_PART, NOT_SEEN, OVERALL, SEEN
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import decide_all, number_of
from lrbook.finding import Records
from lrlib.runs.published import published
from run_page import run_page

CIFAR10, RESNET50, DIGITS, MAP = "survey-laptop", "resnet50-gpu", "survey-digits", "laptop-map-gpu"
SOURCE = "source-gpu"
RATES = ("peak-digits", "rates-digits")


def changed(labels: str, column: str, value, study: str = CIFAR10, **which):
    # Seeds from 0: that of the ResNet-50 runs.
    return measured(study, labels, column, value, **{"seeds": range(99), **which})


def shifted(labels: str, points: float, study: str = CIFAR10, **which):
    """All accuracies of some schedules are so many points higher."""
    return changed(labels, "test_accuracy", lambda e, x: x + points / 100, study, **which)


def at_rate(rate: float, accuracy: float):
    """All runs at one of the constant rates on the digits end there."""
    end = {"labels": "constant", "column": "test_accuracy", "value": lambda e, x: accuracy}
    return both(*(changed(**end, study=study, peak_lr=rate) for study in RATES))


def both(*alterations):
    def alter(records: Records) -> None:
        for each in alterations:
            each(records)

    return alter


def cut_short(study: str):
    """The runs have fewer epochs."""

    def alter(records: Records) -> None:
        records[study] = [run.model_copy(update={"epochs": run.epochs[:90]}) for run in records[study]]

    return alter


def printed_otherwise(**accuracies):
    table = published().model_copy(update={"source": printed(**accuracies)})
    return constants(claims, published=lambda: table)


def an_even_line(schedule: str):
    """In the source's experiment both losses fall by the same amount in each epoch, and accuracy rises so."""
    return both(
        *(changed(schedule, name, lambda e, x: 2 - e / 100, SOURCE) for name in ("train_loss", "test_loss")),
        changed(schedule, "penalty", lambda e, x: 0.0, SOURCE),
        changed(schedule, "test_accuracy", lambda e, x: e / 200, SOURCE),
    )


ALTERATIONS = {
    "source: drops an even line": an_even_line("drop"),
    "source: power 5 an even line": an_even_line("poly5"),
    "source: the first drop is later": changed("drop", "first_lr", lambda e, x: 0.1 if e < 30 else x, SOURCE),
    "source: power 5 level at once": changed("poly5", "train_loss", lambda e, x: x if e else x + 20, SOURCE),
    "source: power 5 twice": lambda records: records.update(
        {SOURCE: [*records[SOURCE], *records.runs(SOURCE, "poly5")]}
    ),
    "source: time good": shifted("time", 2, SOURCE),
    "linear poor": shifted("linear", -10),
    "linear little better": shifted("linear", -3),
    "time poor": shifted("time", -5),
    "drop poor": shifted("drop", -10),
    "drop as good as linear": shifted("drop", 5),
    "drop half a point better": shifted("drop", 0.5),
    "poly5 as good as linear": shifted("poly5", 5),
    "poly5 nearly as good": shifted("poly5", 0.8),
    "poly5 at once as good": shifted("poly5", 15),
    "poly5 as good as drop": both(
        changed("drop", "test_accuracy", lambda e, x: 0.81),
        changed("poly5", "test_accuracy", lambda e, x: 0.81 + (x - 0.807) / 10),
        changed("drop", "train_loss", lambda e, x: x + (e == 15)),
    ),
    "constant good": shifted("constant", 20),
    "triangle poor": shifted("triangle", -5),
    "cosine poor": shifted("cosine", -5),
    "drop jagged": changed("drop", "train_loss", lambda e, x: x + (e == 15)),
    "linear jagged": changed("linear", "train_loss", lambda e, x: x + (e == 15)),
    "drop an even line": both(
        *(
            changed("drop", "train_loss", lambda e, x, k=k: 2 - k * e, study)
            for study, k in ((CIFAR10, 0.06), (RESNET50, 0.02))
        )
    ),
    "drop: test loss falls": changed("drop", "test_loss", lambda e, x: 2 - 0.06 * e),
    "drop: falls late": changed("drop", "train_loss", lambda e, x: x + (e < 20)),
    "linear: accuracy an even line": changed("linear", "test_accuracy", lambda e, x: 0.5 + e / 100),
    "linear: accuracy jagged late": changed("linear", "test_accuracy", lambda e, x: x - 0.1 * (e == 25)),
    "poly5: level later": changed("poly5", "train_loss", lambda e, x: x + (e < 20) / 2, seeds=[1]),
    "digits: constant as good": shifted("constant", 5, DIGITS),
    "digits: constant the same with each seed": changed(
        "constant", "test_accuracy", lambda e, x: 0.9, DIGITS
    ),
    "digits: decay slow": shifted("time drop poly5 linear", -50, DIGITS),
    "digits: a run is missing": without(DIGITS, "constant", 5),
    "digits: both losses fall to the end": both(
        *(changed("drop", name, lambda e, x: 2 - 0.2 * e, DIGITS) for name in ("train_loss", "test_loss"))
    ),
    "digits: a constant rate": changed("drop", "last_lr", lambda e, x: 0.1, DIGITS),
    "rates: the lowest is good": at_rate(0.0001, 0.99),
    "rates: the highest is no guess": at_rate(1.0, 0.5),
    "rates: a run is missing": without("rates-digits", "constant", 10, peak_lr=0.1),
    "map: constant best at 0.1": shifted("constant", 15, MAP, peak_lr=0.1),
    "map: constant best of all": shifted("constant", 10, MAP, peak_lr=0.01),
    "map: one block": rules.of_seeds(MAP, 1),
    "ResNet-50: none under linear": without(RESNET50, "linear", 0),
    "ResNet-50: linear poor": shifted("linear", -11, RESNET50),
    "ResNet-50: time poor": shifted("time", -10, RESNET50),
    "ResNet-50: an even line": changed("linear", "test_accuracy", lambda e, x: 0.1 + e / 200, RESNET50),
    "ResNet-50: a huge drop": both(
        *(
            changed("drop", name, lambda e, x, k=k: x + k * (e < 16), RESNET50)
            for name, k in (("train_loss", 5), ("test_loss", 5), ("test_accuracy", -0.3))
        )
    ),
    "ResNet-50: a steep drop": changed("linear", "test_loss", lambda e, x: x + 3 * (e < 75), RESNET50),
    "ResNet-50: level late": changed("poly5", "train_loss", lambda e, x: x + 2 * (e < 60), RESNET50),
    "ResNet-50: fewer epochs": cut_short(RESNET50),
    "source: fewer epochs": cut_short(SOURCE),
    "source: an even line": changed("linear", "test_accuracy", lambda e, x: 0.1 + e / 200, SOURCE),
    "source: a steep drop": changed("linear", "test_loss", lambda e, x: x + 3 * (e < 75), SOURCE),
    "source: a late drop": changed("linear", "test_loss", lambda e, x: x + 3 * (e < 90), SOURCE),
    "the source printed others": printed_otherwise(time=0.9, drop=0.8),
}

# What may stand in an author's words with a number: a network, two single runs, and the epochs of the survey.
ALLOWED = r"ResNet-50|two single runs|Ours show two|epochs\s+15\s+to\s+20|around 25"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(claims, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Sixteen sentences, one verdict each",
        "Predict: what can one run settle?",
        "The code: from a word to a number",
        "Try it: does your loss still drop at the end?",
    }
    rules.check_page(claims, plain_headings=plain, inside={"end_on_digits_text"})


@pytest.fixture(scope="module")
def page():
    return run_page("claims")


def cards(said: list[str]) -> list[tuple[int, str, str]]:
    """Number, verdict and quotation of each sentence as a reader finds them, in the page's order."""
    found = [re.match(r"\*\*(\d+)\. ([A-Z][a-z ]+)\.\*\* “(.+?)”", text) for text in said]
    return [(int(each[1]), each[2].lower(), each[3]) for each in found if each]


def test_each_sentence_stands_on_the_page_once_with_its_verdict(page):
    decided = decide_all()
    assert sorted(cards(page.said)) == [
        (number_of(claim), decided[name].verdict, claim.quote) for name, claim in CLAIMS.items()
    ]


def test_sentences_of_one_verdict_stand_together_in_the_surveys_order(page):
    found = cards(page.said)
    order = list(OVERALL)
    assert found == sorted(found, key=lambda each: (order.index(each[1]), each[0]))


def test_the_box_counts_the_verdicts(page):
    (box,) = [text for text in page.said if text.startswith("> **What we found**")]
    counts = Counter(each.verdict for each in decide_all().values())
    words = {1: "one", 6: "six", 9: "nine"}
    held, part, failed = (words[counts[each]] for each in (HOLDS, IN_PART, FAILS))
    assert f"**{held.capitalize()} of {len(CLAIMS)} sentences hold.**" in box
    assert f"**{failed.capitalize()} do not hold, {part} in part.**" in box
    assert sum(counts.values()) == len(CLAIMS) == counts[HOLDS] + counts[IN_PART] + counts[FAILS]


def test_a_finding_falls_with_its_verdict():
    for name, value in {"rates": "rates: the lowest is good", "time": "time poor"}.items():
        before, after = (rules.claims(f"claims.{name}_text", each) for each in (None, ALTERATIONS[value]))
        (verdict,) = [claim for claim in before if claim in {f"it {each}" for each in OVERALL}]
        assert before[verdict]
        assert not after[verdict]


def test_figures_are_numbered_and_each_sentence_leads_to_a_chapter(page):
    assert list(page.figures) == ["12.1", "12.2", "12.3"]
    assert not {claim.chapter for claim in CLAIMS.values()} - {
        path.stem for path in (rules.BOOK / "survey").glob("*.ipynb")
    }


def test_the_rule_of_the_page_is_the_one_that_judges(page):
    rule = claims.dropping_at_the_end("drop", "training loss")
    level = [*ramp(2, 1, 90), *[1.0] * 10]
    for curve in (ramp(2, 1), ramp(1, 2), [1.0] * 50 + [0.0] * 50, level, [3.0, 2.0, 1.0, 1.0]):
        assert page.names["still_drops"](curve) == (rule([run("drop", train=curve)]).verdict == SEEN), curve


def test_what_the_code_prints_is_what_the_page_says_of_it(page):
    for each in Records().runs(CIFAR10, "drop"):
        assert not page.names["still_drops"](each.column("train_loss"))
        assert not page.names["still_drops"](each.column("test_loss"))


def test_figure_12_2_has_the_curves_of_the_surveys_figures_from_the_files():
    panels = claims.curves_figure().wide.axes
    titles = {"time": "1.4", "drop": "1.6", "linear": "1.8", "poly5": "1.10"}
    for axes, (name, number) in zip(panels, titles.items(), strict=True):
        assert axes.get_title(loc="left") == f"{name} (survey: figure {number})"
        file = files("lrlib") / "recorded" / SOURCE / f"{name}-seed0.json"
        epochs = json.loads(file.read_text(encoding="utf-8"))["epochs"]
        accuracy, test, training = (list(line.get_ydata()) for line in axes.lines)
        assert accuracy == [epoch["test_accuracy"] for epoch in epochs]
        assert test == pytest.approx([epoch["test_loss"] + epoch["penalty"] for epoch in epochs])
        assert training == pytest.approx([epoch["train_loss"] + epoch["penalty"] for epoch in epochs])
    shaded = [(patch.get_x(), patch.get_x() + patch.get_width()) for axes in panels for patch in axes.patches]
    assert shaded == [(15, 20), (70, 80), (25, 100)]


# The reader's own run


@pytest.mark.parametrize(
    ("mine", "verdict"),
    [
        (run("drop", train=ramp(2, 1), test=ramp(2, 1), experiment="digits"), SEEN),
        (drop_run(40, experiment="digits"), SEEN),
        (run("linear", train=[2.0, 1.0] * 10, test=ramp(2, 1, 20), experiment="digits"), NOT_SEEN),
    ],
)
def test_the_readers_own_run_is_judged_by_the_same_rule_whatever_its_schedule(mine, verdict):
    text = claims.live_text(mine).text
    assert text.startswith(
        f"Of your run, “both losses are dropping at the end” is **{verdict}**: training loss"
    )
    assert ("Of our five recorded runs it is so of none." in text) == (mine.label == "drop")


def test_a_run_cut_short_cannot_be_told(page):
    (live,) = [text for text in page.said if text.startswith("Of your run")]
    assert "fewer than 4 epochs" in live  # trainings are cut short here


def test_words_and_changes_are_in_a_fold(page):
    (fold,) = [text for text in page.said if "What each word means here" in text]
    assert fold.startswith("<details>")
    assert fold.endswith("</details>")
    assert verdicts.words_table() in fold
    assert "when it was written, most of these runs were known" in " ".join(fold.split())
