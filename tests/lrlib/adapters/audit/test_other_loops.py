"""Other loops than those that the readings were made for: the right one leads, and no false alarm."""

import re

import pytest

from lrlib.adapters.audit import KINDS
from other_loops import OTHERS, PEAK, RIGHT


@pytest.mark.filterwarnings("ignore")  # torch's own about the wrong order of steps
@pytest.mark.parametrize("name", OTHERS)
def test_it_is_said_what_is_wrong(name):
    other = OTHERS[name]
    assert other.kinds <= set(KINDS)
    log, plan, known = other.run()
    verdict = log.compare(plan, peak_lr=PEAK, **known)
    assert verdict.kind in other.kinds, str(verdict)
    said = " ".join(str(verdict).split())
    for words in other.words:
        assert re.search(words, said), said


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RIGHT)
def test_no_false_alarm(name):
    log, plan, peaks = RIGHT[name]()
    verdict = log.compare(plan, peak_lr=peaks)
    assert all(group.agrees for group in verdict.groups), str(verdict)
