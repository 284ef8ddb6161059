"""A run that was cut at update 40 goes on: weights are loaded, the schedule needs none.

python examples/resume_without_state.py
"""

import torch

import lrlib

PEAK, TOTAL, DONE = 0.1, 100, 40
plan = lrlib.with_warmup(lrlib.CosineAnnealing(total_steps=TOTAL - 10), 10)


def train(optimizer, scheduler, updates):
    """The rates that these updates were made with."""
    with lrlib.audit.watch(optimizer) as log:
        for _ in range(updates):
            optimizer.step()
            scheduler.step()
    return log


def fresh():
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))], lr=PEAK)


optimizer = fresh()
before = train(optimizer, lrlib.to_torch(optimizer, plan), DONE)

optimizer = fresh()
after = train(optimizer, lrlib.to_torch(optimizer, plan, at=DONE), TOTAL - DONE)

print((before + after).compare(plan, peak_lr=PEAK))

# More epochs than planned: no jump, and the new end is where the decay ends.
longer = lrlib.extend(plan, at=DONE, total_steps=150)
print(f"update {DONE}: {PEAK * longer(DONE):.4g}; update 149: {PEAK * longer(149):.4g}")
