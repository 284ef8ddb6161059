"""The sentences of `lrbook.chapters.claims.sentences` judged on what is recorded, and the page's texts on it.

Verdicts, numbers and the sentences around them are made here from the findings, so that a page cannot say
anything else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lrbook.chapters.claims.definitions import NOT_SEEN, SEEN, VERDICTS, WORDS, Finding
from lrbook.chapters.claims.sentences import ARMS, CLAIMS, Claim
from lrlib._checks import no_such
from lrlib.runs.published import SourceRow, Table, published
from lrlib.runs.record import experiment, load_runs, studies

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["Judged", "card", "evidence", "judge", "ledger", "number_of", "summary", "words_table"]

MINUS = re.compile(r"(?<!\w)-(?=\d)")


class Judged(NamedTuple):
    """The finding on one sentence in one arm, by their names in `CLAIMS` and `ARMS`.

    Examples
    --------
    >>> Judged("time", "laptop", Finding(0, "cannot be told", "no run yet")).claim
    'time'
    """

    claim: str
    arm: str
    finding: Finding


def evidence() -> dict[str, Sequence[Run] | Table[SourceRow]]:
    """Return the evidence of each arm: the records that come with the package, and the printed logs.

    Examples
    --------
    >>> list(evidence()) == list(ARMS)
    True
    """
    there = studies()
    found: dict[str, Sequence[Run] | Table[SourceRow]] = {}
    for name, arm in ARMS.items():
        if arm.study is None:
            found[name] = published().source
        else:
            study = experiment(arm.study)
            found[name] = load_runs(study) if study in there else []
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
    >>> judge("time", load_runs("pilot-laptop"))[:2]
    (0, 'cannot be told')
    """
    if name not in CLAIMS:
        raise ValueError(no_such("claim", name, CLAIMS))
    return CLAIMS[name].rule(runs if isinstance(runs, Table) else list(runs))


def ledger(given: Mapping[str, Sequence[Run] | Table[SourceRow]] | None = None) -> list[Judged]:
    """Return the findings on every sentence in each of its arms.

    Parameters
    ----------
    given : mapping, arm -> runs or printed table; or None
        None takes `evidence`. An arm that is left out has no runs.

    Examples
    --------
    >>> {judged.finding.verdict for judged in ledger({})}
    {'cannot be told'}
    """
    given = evidence() if given is None else given
    for arm in given:
        if arm not in ARMS:
            raise ValueError(no_such("arm", arm, ARMS))
    return [
        Judged(claim.name, arm, judge(claim.name, given.get(arm, [])))
        for claim in CLAIMS.values()
        for arm in claim.arms
    ]


def card(name: str, judged: Iterable[Judged]) -> str:
    """Return one sentence with its place and findings as Markdown; arms with equal findings share a line.

    Examples
    --------
    >>> print(card("best", ledger({})))
    **15.** “the linear decay method performs the best” (1.1.7, table 1.1; [chapter](analysis.ipynb))
    <BLANKLINE>
    - **cannot be told** · published logs, source, ResNet-50, laptop · no run yet
    """
    claim, lines, order = CLAIMS[name], {}, list(VERDICTS)
    for each in judged:
        if each.claim == name:
            lines.setdefault(each.finding, []).append(ARMS[each.arm].title)
    text = f"**{number_of(claim)}.** “{claim.quote}” ({claim.place}; [chapter]({claim.chapter}.ipynb))\n"
    for finding in sorted(lines, key=lambda finding: (finding.n == 0, order.index(finding.verdict))):
        n = f", n\u00a0=\u00a0{finding.n}" if finding.n else ""  # kept together on a phone
        because = MINUS.sub("−", finding.because.replace(" - ", "\u00a0−\u00a0"))
        text += f"\n- **{finding.verdict}** · {', '.join(lines[finding])}{n} · {because}"
    return text


def summary(judged: Sequence[Judged]) -> str:
    """Return a few sentences that count the verdicts.

    Examples
    --------
    >>> summary(ledger({}))[:63]
    '16 sentences of the survey, judged in up to 5 arms each: of 53 '
    """
    counts = Counter(each.finding.verdict for each in judged)
    per_claim = Counter(each.claim for each in judged)
    parts = ", ".join(f"{counts[verdict]} say **{verdict}**" for verdict in VERDICTS if counts[verdict])
    empty = [arm.title for name, arm in ARMS.items() if not any(_has_runs(each, name) for each in judged)]
    text = (
        f"{len(per_claim)} sentences of the survey, judged in up to {max(per_claim.values())} arms each: of "
        f"{len(judged)} findings {parts}."
    )
    settled = [each for each in judged if each.finding.verdict in (SEEN, NOT_SEEN)]
    ours = {each.claim for each in settled if ARMS[each.arm].study}
    text += f" Some arm settles {len({each.claim for each in settled})} of the {len(per_claim)} sentences, "
    text += f"and runs of ours {len(ours)}."
    if any(ARMS[each.arm].study is None for each in settled):
        text += " In the published logs the survey is held against its own evidence: no new run agrees there."
    return text + (f" Not recorded yet: {', '.join(empty)}." if empty else "")


def words_table() -> str:
    """Return the verdicts, and the survey's words as numbers, as a Markdown table.

    Examples
    --------
    >>> print(words_table().splitlines()[2])
    | **seen again** | in this arm, the words hold by the rules below |
    """
    rows = [f"| **{verdict}** | {means} |" for verdict, means in VERDICTS.items()]
    rows += [f"| **{word}** | {means}. *Why: {why}.* |" for word, (means, why) in WORDS.items()]
    return "\n".join(["| word | what it means here |", "| --- | --- |", *rows])


def number_of(claim: Claim) -> int:
    """Return the number of a sentence on the page, from 1.

    >>> number_of(CLAIMS["time"])
    3
    """
    return list(CLAIMS).index(claim.name) + 1


def _has_runs(judged: Judged, arm: str) -> bool:
    return judged.arm == arm and judged.finding.n > 0
