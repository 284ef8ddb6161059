"""Tables as HTML, and words in a sentence."""

import re

import pytest

from lrbook.chapters._write import Entry, cell, listed, results_table


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match=re.escape("a row must have 2 cells as the head has, got ['a']")):
        results_table(["run", "loss"], [["a"]])


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")]
)
def test_words_are_listed_as_english_lists_them(words, text):
    assert listed(words) == text


def test_a_cell_is_escaped_and_may_span_columns():
    assert (
        cell(Entry("a & b", "<0.1", columns=2)) == '<td colspan="2">a &amp; b<br><small>&lt;0.1</small></td>'
    )
