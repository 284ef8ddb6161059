"""A log of rates from anywhere, here transformers' linear schedule on two processes, audited from a file.

python examples/audit_a_log.py        (the same on the command line: see the last line that it prints)
"""

import tempfile
from pathlib import Path

from lrlib import Triangle, audit

plan = Triangle(total_steps=60, warmup_steps=6)
with tempfile.TemporaryDirectory() as folder:
    log = Path(folder, "rates.csv")
    # What a prepared scheduler of accelerate gives on two processes: it is stepped by both.
    rows = [f"{t},{3e-4 * plan(2 * t)!r}" for t in range(60)]
    log.write_text("\n".join(["step,learning_rate", *rows]), encoding="utf-8")
    print(audit.compare(audit.read_rates(log), plan, peak_lr=3e-4, processes=2))
print("lrlib audit rates.csv --plan linear --peak 3e-4 --updates 60 --warmup 6 --processes 2")
