"""The rate that a loop of plain PyTorch applies, beside the plan: the scheduler is stepped once an epoch.

python examples/audit_a_loop.py
"""

import torch

import lrlib

EPOCHS, BATCHES, PEAK = 6, 10, 0.1
plan = lrlib.LinearDecay(total_steps=EPOCHS * BATCHES)

torch.manual_seed(0)
model = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=PEAK)
scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=EPOCHS * BATCHES)

with lrlib.audit.watch(optimizer, scheduler) as log:
    for _ in range(EPOCHS):
        for _ in range(BATCHES):
            loss = (model(torch.randn(16, 8)) - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()  # the fault: its numbers count updates

print(log.compare(plan, peak_lr=PEAK, steps_per_epoch=BATCHES))
