"""Recipes of papers: the rates of the authors' code, written out here again."""

import pytest
import torch

from lrlib import Triangle, from_dict
from lrlib.schedules import CITED, CitedRecipe, get_recipe


@pytest.mark.parametrize("total", [1_000_000, 20_000, 300])
def test_bert_is_its_codes_decay_under_its_warmup(total):
    schedule = get_recipe("bert").build(total_steps=total, steps_per_epoch=1)
    warmup = total // 100
    for t in {0, 1, warmup - 1, warmup, warmup + 1, total // 2, total - 1, total}:
        decay = max(total - t, 0) / total
        assert schedule(t) == pytest.approx(t / warmup if t < warmup else decay, rel=1e-12, abs=1e-15)
    assert schedule.total_steps == total


def test_bert_is_not_the_triangle_that_its_paper_reads_like():
    code = get_recipe("bert").build(total_steps=1000, steps_per_epoch=1)
    paper = Triangle(total_steps=1000, warmup_steps=10)
    assert (code(9), paper(9)) == (0.9, 0.9)
    assert (code(10), paper(10)) == (0.99, 1.0)
    assert code(505) == pytest.approx(0.99 * paper(505))


def test_detr_is_torchs_steplr_with_its_defaults():
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 200)
    recipe = get_recipe("detr")
    schedule = recipe.build(total_steps=300, steps_per_epoch=1)
    for epoch in range(300):
        assert recipe.source.peak_lr * schedule(epoch) == pytest.approx(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert [schedule(epoch) for epoch in (199, 200)] == [1.0, 0.1]


@pytest.mark.parametrize("name", CITED)
@pytest.mark.parametrize("total", [1, 2, 3, 99])
def test_any_length_can_be_built_written_and_read(name, total):
    recipe = get_recipe(name)
    assert from_dict(recipe.to_dict()) == recipe
    assert recipe.build(total_steps=total, steps_per_epoch=1)(0) in (0.0, 1.0)
    assert all(part for part in recipe.source)
    assert recipe.label == name


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        (
            "bert",
            ["1,000,000 updates", "https://arxiv.org/abs/1810.04805", "https://github.com/google-research/"],
        ),
        (
            "detr",
            ["300 epochs", "https://arxiv.org/abs/2005.12872", "https://github.com/facebookresearch/detr"],
        ),
    ],
)
def test_a_source_says_where_its_numbers_are(name, begins):
    source = get_recipe(name).source
    for said, begin in zip((source.run, source.paper, source.code), begins, strict=True):
        assert said.startswith(begin)
    assert source.differs.endswith(".")


@pytest.mark.parametrize(
    ("total", "warmup", "drop_steps"),
    # 0.01 T: up to 0.5 -> 0; 0.51 -> 1; 1.5 -> 2. 2 T/3: 0.67 and 1.33 -> 1; 2.67 -> 3; 33.3 -> 33; 34; 100.
    [(1, 0, 1), (2, 0, 1), (4, 0, 3), (50, 0, 33), (51, 1, 34), (150, 2, 100)],
)
def test_rounding(total, warmup, drop_steps):
    bert = get_recipe("bert").build(total_steps=total, steps_per_epoch=1)
    assert bert.values(warmup + 1) == [t / warmup for t in range(warmup)] + [(total - warmup) / total]
    assert get_recipe("detr").build(total_steps=total, steps_per_epoch=1).drop_steps == drop_steps


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="name must be one of bert, detr, got 'berd'; did you mean 'bert'"):
        CitedRecipe(name="berd")
