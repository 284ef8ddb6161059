"""Train on two processes with accelerate and print what was applied: accelerate_two.py TOTAL_STEPS PEAK_LR.

A process of its own, as accelerate's launcher forks, which a test process with many threads should not.
"""

import json
import sys

import torch
from accelerate import Accelerator, debug_launcher

from lrlib.adapters.audit import watch


def train(total: int, peak_lr: float) -> None:
    accelerator = Accelerator(cpu=True)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=peak_lr)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=total)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(2 * total, 1)), batch_size=1)
    model, optimizer, scheduler, data = accelerator.prepare(model, optimizer, scheduler, data)
    with watch(optimizer, scheduler) as log:
        for (x,) in data:
            accelerator.backward(model(x).sum())
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    if accelerator.is_main_process:
        print(json.dumps({"rates": log.rates, "clock": log.clock}), flush=True)


if __name__ == "__main__":
    debug_launcher(train, (int(sys.argv[1]), float(sys.argv[2])), num_processes=2)
