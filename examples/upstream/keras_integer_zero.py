"""Keras: CosineDecay(0, ..., warmup_target=0.1) gives rate 0 at every step.

What happens. The class's own docstring has an example with `initial_learning_rate = 0`, an integer. All is
cast to the dtype of `initial_learning_rate`, so that `warmup_target` 0.1 becomes the integer 0, and every
step has rate 0. With 0.0 the warm-up is right. No error, no warning: the network does not learn.

What would be right. Convert `initial_learning_rate` to floatx first, or refuse an integer.

python examples/upstream/keras_integer_zero.py
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras

Cosine = keras.optimizers.schedules.CosineDecay
for initial in (0, 0.0):
    schedule = Cosine(initial, decay_steps=90, warmup_target=0.1, warmup_steps=10)
    rates = [float(schedule(step)) for step in (0, 5, 10, 50)]
    print(f"keras {keras.__version__}, initial_learning_rate={initial!r}: {rates}")
