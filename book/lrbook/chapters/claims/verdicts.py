"""The sentences of `lrbook.chapters.claims.sentences` judged on what is recorded: one verdict a sentence.

The verdict, and what each experiment says, are made here from the runs; `lrbook.chapters.claims` sets the
author's sentences between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lrbook.chapters.claims.definitions import (
    CANNOT_BE_TOLD,
    FAILS,
    HOLDS,
    IN_PART,
    OPEN,
    OVERALL,
    SEEN,
    VERDICTS,
    WORDS,
    Finding,
)
from lrbook.chapters.claims.sentences import CLAIMS, Claim
from lrbook.finding import Records
from lrlib._checks import no_such
from lrlib.runs.experiments import EXPERIMENTS
from lrlib.runs.published import SourceRow, Table, published
from lrlib.runs.store import preferred_study, studies

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "Decided",
    "card",
    "decide",
    "decide_all",
    "deciding",
    "evidence",
    "judge",
    "number_of",
    "overall",
    "words_table",
]

MINUS = re.compile(r"(?<!\w)-(?=\d)")


class Decided(NamedTuple):
    """One sentence, by its name in `CLAIMS`: the verdict, and the finding of each experiment.

    Examples
    --------
    >>> Decided("time", "cannot be told", {"laptop": Finding(0, "cannot be told", "no run yet")}).verdict
    'cannot be told'
    """

    claim: str
    verdict: str
    findings: Mapping[str, Finding]


def evidence(records: Records | None = None) -> dict[str, Sequence[Run] | Table[SourceRow]]:
    """Return the evidence of each experiment: its recorded runs, or the printed logs.

    Examples
    --------
    >>> list(evidence()) == list(EXPERIMENTS)
    True
    """
    records, there = Records() if records is None else records, studies()
    found: dict[str, Sequence[Run] | Table[SourceRow]] = {}
    for name, each in EXPERIMENTS.items():
        recorded = [study for study in map(preferred_study, each.studies) if study in there]
        # Print has the last lines of the source's logs; all else is recorded.
        found[name] = (
            [run for study in recorded for run in records[study]] if each.studies else published().source
        )
    return found


def judge(name: str, runs: Sequence[Run] | Table[SourceRow]) -> Finding:
    """Return the finding on one sentence from some runs of one experiment, such as those just trained.

    Parameters
    ----------
    name : str
        A key of `CLAIMS`.
    runs : sequence of Run
        Alike in all but schedule and seed. Or the source's printed table.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> judge("time", load_runs("pilot-laptop"))[:2]
    (0, 'cannot be told')
    """
    if name not in CLAIMS:
        raise ValueError(no_such("claim", name, CLAIMS))
    return CLAIMS[name].rule(runs if isinstance(runs, Table) else list(runs))


def deciding(findings: Mapping[str, Finding]) -> list[str]:
    """Return the experiments whose findings decide: ours with several seeds, or, if none can tell, with one.

    The published logs never decide: the sentences were read off them, so they cannot show that anyone else
    would see the same.

    Examples
    --------
    >>> logs, five, one = Finding(1, "seen again", ""), Finding(5, "not seen", ""), Finding(1, "not seen", "")
    >>> deciding({"logs": logs, "laptop": five, "resnet50": one})
    ['laptop']
    >>> deciding({"logs": logs, "laptop": five._replace(verdict="cannot be told"), "resnet50": one})
    ['resnet50']
    """
    told = {
        name: finding.n
        for name, finding in findings.items()
        if EXPERIMENTS[name].studies and finding.n and finding.verdict != CANNOT_BE_TOLD
    }
    # A single run is asked last: it shows what one curve did, and another seed may do something else.
    return [name for name, n in told.items() if n > 1] or list(told)


def overall(findings: Mapping[str, Finding]) -> str:
    """Return the verdict on a sentence from the findings of those experiments that decide.

    Examples
    --------
    >>> yes, no = Finding(5, "seen again", ""), Finding(5, "not seen", "")
    >>> overall({"laptop": yes}), overall({"laptop": no}), overall({"laptop": yes, "digits": no})
    ('holds', 'does not hold', 'holds in part')
    >>> overall({"logs": yes})
    'cannot be told'
    """
    said = {findings[name].verdict for name in deciding(findings)}
    if len(said) != 1:
        return IN_PART if said else OPEN
    return HOLDS if said == {SEEN} else FAILS


def decide(name: str, given: Mapping[str, Sequence[Run] | Table[SourceRow]] | None = None) -> Decided:
    """Return one sentence judged in each of its experiments, with one verdict over all.

    A sentence that does not hold, but says several things of which one holds by itself, holds in part.

    Parameters
    ----------
    name : str
        A key of `CLAIMS`.
    given : mapping, experiment -> runs or printed table; or None
        None takes `evidence`. An experiment that is left out has no runs.

    Examples
    --------
    >>> decide("linear").verdict
    'holds'
    >>> decide("linear", {}).verdict
    'cannot be told'
    """
    if name not in CLAIMS:
        raise ValueError(no_such("claim", name, CLAIMS))
    given = evidence() if given is None else given
    for experiment in given:
        if experiment not in EXPERIMENTS:
            raise ValueError(no_such("experiment", experiment, EXPERIMENTS))
    claim = CLAIMS[name]
    whole, *parts = (
        {experiment: rule(given.get(experiment, [])) for experiment in claim.experiments}
        for rule in (claim.rule, *claim.parts)
    )
    verdict = overall(whole)
    if verdict == FAILS and HOLDS in map(overall, parts):
        verdict = IN_PART
    return Decided(name, verdict, whole)


def decide_all(given: Mapping[str, Sequence[Run] | Table[SourceRow]] | None = None) -> dict[str, Decided]:
    """Return all sentences judged, by name and in the survey's order.

    Examples
    --------
    >>> {decided.verdict for decided in decide_all({}).values()}
    {'cannot be told'}
    """
    given = evidence() if given is None else given
    return {name: decide(name, given) for name in CLAIMS}


def card(decided: Decided, sentence: str) -> str:
    """Return a sentence of the survey as Markdown: verdict, quotation, place, our sentence, experiments.

    Examples
    --------
    >>> print(card(decide("best", {}), "Nobody knows."))
    **15. Cannot be told.** “the linear decay method performs the best” (1.1.7, table 1.1;
    [chapter](analysis.ipynb))
    <BLANKLINE>
    Nobody knows.
    """
    claim, order = CLAIMS[decided.claim], list(VERDICTS)
    text = f"**{number_of(claim)}. {decided.verdict.capitalize()}.** “{claim.quote}” ({claim.place};\n"
    text += f"[chapter]({claim.chapter}.ipynb))\n\n{sentence}"
    decides, lines = deciding(decided.findings), []
    for name, finding in sorted(decided.findings.items(), key=lambda pair: order.index(pair[1].verdict)):
        if finding.n:
            because = MINUS.sub("−", finding.because.replace(" - ", "\u00a0−\u00a0"))
            n = f"n\u00a0=\u00a0{finding.n}" + ", decides" * (name in decides)  # n kept together on a phone
            lines.append(f"- **{finding.verdict}** · {EXPERIMENTS[name].title}, {n} · {because}")
    if not lines:
        return text
    fold = "<details>\n<summary>What each experiment says</summary>\n\n{}\n\n</details>"
    return f"{text}\n\n" + fold.format("\n".join(lines))


def words_table() -> str:
    """Return the verdicts, and the survey's words as numbers, as a Markdown table.

    Examples
    --------
    >>> print(words_table().splitlines()[2])
    | a sentence **holds** | seen again in every experiment that decides |
    """
    rows = [f"| a sentence **{verdict}** | {means} |" for verdict, means in OVERALL.items()]
    rows += [f"| **{verdict}** | {means} |" for verdict, means in VERDICTS.items()]
    rows += [f"| **{word}** | {means}. *Why: {why}.* |" for word, (means, why) in WORDS.items()]
    return "\n".join(["| word | what it means here |", "| --- | --- |", *rows])


def number_of(claim: Claim) -> int:
    """Return the number of a sentence on the page, from 1.

    >>> number_of(CLAIMS["time"])
    3
    """
    return list(CLAIMS).index(claim.name) + 1
