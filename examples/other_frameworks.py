"""One schedule in torch, Keras and optax: the same rates at every update.

python examples/other_frameworks.py        (pip install 'lrlib[rosetta]')
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import torch

import lrlib

PEAK, TOTAL = 0.1, 40
plan = lrlib.with_warmup(lrlib.LinearDecay(total_steps=TOTAL - 8), 8)

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
in_torch = lrlib.preview(lrlib.to_torch(optimizer, plan), TOTAL)
keras_rate, optax_rate = lrlib.to_keras(plan, PEAK), lrlib.to_optax(plan, PEAK)

planned = [PEAK * factor for factor in plan.values(TOTAL)]
for name, rates in (
    ("torch", in_torch),
    ("Keras", [float(keras_rate(t)) for t in range(TOTAL)]),
    ("optax", [float(optax_rate(t)) for t in range(TOTAL)]),
):
    worst = max(abs(rate - wanted) for rate, wanted in zip(rates, planned, strict=True))
    print(f"{name}: within {worst / PEAK:.0e} of the peak; {lrlib.audit.compare(rates, plan, peak_lr=PEAK)}")
