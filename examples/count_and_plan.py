"""From a loop's settings to a schedule: how many updates, which end, another batch size.

python examples/count_and_plan.py
"""

import lrlib

settings = dict(images=50_000, batch=32, accumulate=2, processes=2, epochs=30)
total = lrlib.count_updates(**settings)
print(f"{total:,} updates")

# Cosine with a warm-up of 500 updates, down to a tenth of the peak and not to zero.
plan = lrlib.with_warmup(lrlib.with_floor(lrlib.CosineAnnealing(total_steps=total - 500), 0.1), 500)
for t in (0, 500, total // 2, total - 1):
    print(f"update {t:>6,}: {0.1 * plan(t):.4f}")

# Restarts, each half as high.
cycle = lrlib.CosineAnnealing(total_steps=100)
shrinking = lrlib.join([(cycle, 100), (cycle, 100, 0.5), (cycle, 100, 0.25)])
print("restarts:", shrinking(0), shrinking(100), shrinking(200))

# Four times the batch: a quarter of the updates, and by the linear scaling rule four times the peak.
larger = lrlib.rescale(plan, 4)
print(f"batch times 4: {larger.total_steps:,} updates, peak {4 * 0.1:g}")
