"""What a composed torch scheduler is going to do, before anything is trained.

python examples/preview_a_scheduler.py
"""

import torch
from torch.optim.lr_scheduler import ChainedScheduler, CosineAnnealingWarmRestarts, LinearLR

import lrlib

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
warmup = LinearLR(optimizer, 0.1, 1.0, total_iters=10)
scheduler = ChainedScheduler([CosineAnnealingWarmRestarts(optimizer, 10), warmup], optimizer)

rates = lrlib.preview(scheduler, 30)
print("every third rate:", " ".join(f"{rate:.3f}" for rate in rates[::3]))
print(f"the peak was to be 0.1; the highest rate is {max(rates):.3f}")
