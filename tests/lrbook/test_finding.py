"""The records that findings read."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

from lrbook.finding import Records


def test_blocks_are_the_seeds_that_every_schedule_and_rate_has():
    names = [path.name for path in (files("lrlib") / "recorded" / "laptop-map-gpu").glob("*.json")]
    of_seed = Counter(name.split("-")[1] for name in names)
    whole = {int(seed.removeprefix("seed")) for seed, runs in of_seed.items() if runs == 8 * 4}
    runs = Records().blocks("laptop-map-gpu")
    assert {run.config.seed for run in runs} == whole
    assert len(runs) == 32 * len(whole)


def test_a_seed_that_lacks_one_run_is_left_out():
    records = Records()
    whole = records.blocks("laptop-map-gpu")
    lost = next(run for run in whole if run.config.seed == 2)
    records["laptop-map-gpu"] = [run for run in whole if run is not lost]
    assert {run.config.seed for run in records.blocks("laptop-map-gpu")} == {1, 3}
