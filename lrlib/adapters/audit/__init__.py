"""The rate that was really applied, set beside the plan.

`watch` records what a torch optimizer applies, in anybody's loop; `compare` sets a list of rates beside a
plan and names what it looks like where they part. ``lrlib.audit`` is this package.

The idea: a rate is a clock. Each applied rate tells which moment of the plan it belongs to, and a fault is a
way in which that clock runs: ahead, behind, too fast, held, stopped, set back. A reading is given only if it
predicts every update (or says which it does not); what no reading explains is called unknown.

Examples
--------
>>> from lrlib import CosineAnnealing, audit
>>> plan = CosineAnnealing(total_steps=60)
>>> print(audit.compare([0.1 * plan(t // 10) for t in range(60)], plan, peak_lr=0.1, steps_per_epoch=10).kind)
stepped_per_epoch
"""

from lrlib.adapters.audit.causes import KINDS
from lrlib.adapters.audit.compare import compare
from lrlib.adapters.audit.files import read_rates
from lrlib.adapters.audit.recorder import RateLog, innermost, watch
from lrlib.adapters.audit.verdict import Reading, Verdict

__all__ = ["KINDS", "RateLog", "Reading", "Verdict", "compare", "innermost", "read_rates", "watch"]
