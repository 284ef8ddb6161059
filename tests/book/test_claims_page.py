"""The page of the claims ledger says what the rules find, whatever is recorded, and nothing of its own."""

from __future__ import annotations

import ast
import re

import nbformat
import pytest

import lrbook.chapters.claims.verdicts
import lrlib.training.run
from claim_cases import CASES, ramp, run, step
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN, VERDICTS, WORDS
from lrbook.chapters.claims.sentences import CLAIMS
from lrlib.runs.experiments import EXPERIMENTS
from run_page import SURVEY, run_page

PAGE = nbformat.read(SURVEY / "claims.ipynb", as_version=4)
# What a page may not say by itself: the verdicts, and other words for them.
VERDICT = re.compile(
    r"seen again|not seen|cannot be told|can't be told|\b(confirmed|refuted|reproduced|replicated|disproved"
    r"|borne out|holds true|turned out|was (right|wrong)|is (right|wrong|true|false))\b",
    re.I,
)


def verdict_words(text: str) -> list[str]:
    return [match.group() for match in VERDICT.finditer(text)]


def test_no_verdict_is_typed():
    for cell in PAGE.cells:
        texts = [cell.source]
        if cell.cell_type == "code":
            nodes = ast.walk(ast.parse(cell.source))
            texts = [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
            texts.append(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
        assert not [word for text in texts for word in verdict_words(text)], cell.source


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("This was Seen again.", ["Seen again"]),
        ("The sentence is confirmed, and was wrong.", ["confirmed", "was wrong"]),
        ("Steep, smooth and similar are words.", []),
    ],
)
def test_the_rule_for_typed_verdicts_bites(text, found):
    assert verdict_words(text) == found


def cards(said: str) -> dict[str, set[tuple[str, str]]]:
    """Return claim -> {(verdict, experiment)} as a reader finds them in the cards."""
    titles = {experiment.title: name for name, experiment in EXPERIMENTS.items()}
    found = {}
    for part in re.split(r"^(?=\*\*\d+\.\*\*)", said, flags=re.M)[1:]:
        number = int(re.match(r"\*\*(\d+)\.\*\*", part).group(1))
        lines = re.findall(r"^- \*\*(.+?)\*\* · (.+?)(?:, n\u00a0=\u00a0\d+)? · ", part, flags=re.M)
        found[list(CLAIMS)[number - 1]] = {
            (verdict, titles[title]) for verdict, experiments in lines for title in experiments.split(", ")
        }
    return found


@pytest.mark.parametrize("verdict", [SEEN, NOT_SEEN])
@pytest.mark.parametrize(
    ("claim", "experiment"), [("linear", "laptop"), ("linear", "logs"), ("poly5, 25", "source")]
)
def test_prose_and_verdicts_do_not_part(claim, experiment, verdict, monkeypatch):
    monkeypatch.setattr(
        lrbook.chapters.claims.verdicts, "evidence", lambda: {experiment: CASES[claim][verdict][experiment]()}
    )
    monkeypatch.setattr(lrlib.training.run, "train", lambda config, **_: made_up(config, ramp(2, 1)))
    page = run_page("claims")
    count, listed = page.said[:2]
    found = cards(listed)
    assert list(found) == list(CLAIMS)
    assert (verdict, experiment) in found[claim]
    for name, verdicts in found.items():
        assert sorted(where for _, where in verdicts) == sorted(
            CLAIMS[name].experiments
        )  # each says one thing
        assert {each for each, where in verdicts if where != experiment} <= {CANNOT_BE_TOLD}
    said = [each for verdicts in found.values() for each, _ in verdicts]
    for each in VERDICTS:
        assert (f"{said.count(each)} say **{each}**" in count) == (each in said)
    assert list(page.figures) == ["1.16", "1.16b"]
    drawn = {line.get_label(): len(line.get_xdata()) for line in page.figures["1.16"].axes[0].lines}
    assert (drawn[SEEN], drawn[NOT_SEEN]) == (said.count(SEEN), said.count(NOT_SEEN))


def made_up(config, curve):
    return run(config.recipe.label, train=curve, test=curve, experiment="digits")


@pytest.mark.parametrize(("curve", "verdict"), [(ramp(2, 1), SEEN), (step(50), NOT_SEEN)])
def test_the_readers_own_run_is_judged_by_the_same_rule(curve, verdict, monkeypatch):
    monkeypatch.setattr(lrlib.training.run, "train", lambda config, **_: made_up(config, curve))
    live = run_page("claims").said[3]
    assert live.startswith(f"On your run: **{verdict}** · n = 1 · training loss falls by ")
    assert "resnet8 on digits, drop, seed 1: recorded on" in live


def test_the_page_on_what_is_recorded():
    _, listed, table, live, where = run_page("claims").said
    assert list(cards(listed)) == list(CLAIMS)
    assert all(f"**{word}**" in table for word in WORDS)
    assert "fewer than 4 epochs" in live  # trainings are cut short here
    assert [line.split("*")[1] for line in where.splitlines()] == [
        experiment.title for experiment in EXPERIMENTS.values()
    ]


def test_every_sentence_leads_to_a_chapter():
    chapters = {claim.chapter for claim in CLAIMS.values()}
    assert not {name for name in chapters if not (SURVEY / f"{name}.ipynb").is_file()}
    # without this, links and tables in the output of a cell are not made in the built page
    for call in ("card(name", "words_table()"):
        (cell,) = [cell for cell in PAGE.cells if call in cell.source]
        assert cell.metadata["mystnb"]["markdown_format"] == "myst"
