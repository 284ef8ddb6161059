"""Keras: with gradient_accumulation_steps=k, a schedule counts micro-batches and not updates.

What happens. `optimizer.iterations` is divided by k, but the rate is read from the schedule at the undivided
counter. A decay over T updates is done after T / k, and the other updates are made with its last rate. Update
0 has the rate of step k - 1.

What would be right. Call the schedule with `optimizer.iterations`, or say in the documentation of
`gradient_accumulation_steps` that schedules count micro-batches.

python examples/upstream/keras_accumulation.py
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

K, UPDATES = 4, 8
linear = keras.optimizers.schedules.PolynomialDecay(0.1, decay_steps=UPDATES, end_learning_rate=0.0)
optimizer = keras.optimizers.SGD(linear, gradient_accumulation_steps=K)
weight = keras.Variable(np.zeros(1, dtype="float32"))
optimizer.build([weight])
gradient = keras.ops.convert_to_tensor(-np.ones(1, dtype="float32"))

moved = []
for _ in range(UPDATES):
    before = float(keras.ops.convert_to_numpy(weight.value)[0])
    for _ in range(K):
        optimizer.apply([gradient], [weight])
    moved.append(float(keras.ops.convert_to_numpy(weight.value)[0]) - before)
print(f"keras {keras.__version__}, iterations {int(optimizer.iterations)}")
print("planned:", [round(0.1 * (1 - t / UPDATES), 4) for t in range(UPDATES)])
print("applied:", [round(step, 4) for step in moved])
