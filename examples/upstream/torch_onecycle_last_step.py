"""torch: the last step that OneCycleLR allows puts the rate up again, below zero with linear annealing.

What happens. `OneCycleLR(total_steps=T)` ends at step T - 1. One more `scheduler.step()` is allowed (the
next raises), and a loop that steps after each update makes it; it extrapolates beyond the last phase. A
run that makes update T has a higher rate again, and with `anneal_strategy="linear"` a negative one, which
ascends. Seen before: pytorch/pytorch#91765.

What would be right. Stay at the last rate at step T, or refuse that step as the next one is refused.

python examples/upstream/torch_onecycle_last_step.py
"""

import warnings

import torch
from torch.optim.lr_scheduler import OneCycleLR

warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
T = 10
for strategy in ("cos", "linear"):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = OneCycleLR(
        optimizer, max_lr=0.1, total_steps=T, anneal_strategy=strategy, cycle_momentum=False
    )
    rates = []
    for _ in range(T + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) <= T:
            scheduler.step()
    print(
        f"torch {torch.__version__}, {strategy}: update {T - 1} {rates[-2]:.3g}, update {T} {rates[-1]:.3g}"
    )
