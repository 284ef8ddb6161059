"""to_optax and to_keras: what moves a weight in the frameworks' own optimizers, at every update."""

import builtins
import json

import numpy as np
import pytest

from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    LinearDecay,
    PolynomialDecay,
    TimeDecay,
    Triangle,
    hold,
    join,
    to_keras,
    to_optax,
    with_warmup,
)

T, PEAK = 103, 0.1
SHAPES = {
    "constant": Constant(),
    "time": TimeDecay(decay=0.01),
    "drop": DropDecay(drop_factor=0.25, drop_steps=15),
    "linear": LinearDecay(total_steps=T),
    "poly5": PolynomialDecay(total_steps=T, power=5),
    "triangle": Triangle(total_steps=T, warmup_steps=10),
    "cosine5": CosineAnnealing(total_steps=T, cycles=5),
    "warm cosine": with_warmup(CosineAnnealing(total_steps=T - 10), 10),
    "wsd": join([(with_warmup(Constant(), 10), T - 20), (LinearDecay(total_steps=20), 20)]),
    "held": hold(LinearDecay(total_steps=T), 10),
}
keras_needed = pytest.mark.rosetta("keras")
optax_needed = pytest.mark.rosetta("optax", "jax")


@pytest.mark.filterwarnings("ignore")  # of the frameworks
@pytest.mark.parametrize(
    "framework", [pytest.param("optax", marks=optax_needed), pytest.param("keras", marks=keras_needed)]
)
@pytest.mark.parametrize("name", SHAPES)
def test_every_update_has_the_schedules_rate(name, framework):
    import frameworks

    schedule = SHAPES[name]
    moved_by, convert = {
        "optax": (frameworks.optax_moved, to_optax),
        "keras": (frameworks.keras_moved, to_keras),
    }[framework]
    moved = moved_by(convert(schedule, PEAK, steps=T), T)
    expected = PEAK * np.array(schedule.values(T))
    # Half a unit in the last place of float32, twice: of the rate, and of the product with the gradient.
    np.testing.assert_allclose(moved, expected, rtol=1.3e-7, atol=0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "framework", [pytest.param("optax", marks=optax_needed), pytest.param("keras", marks=keras_needed)]
)
def test_a_million_updates_end_with_rates_that_are_not_zero(framework):
    """The frameworks' own cosines count in float32: their last updates are made with rate zero."""
    import frameworks

    total = 1_000_000
    if framework == "keras":
        frameworks.torch_keras()
    rate = {"optax": to_optax, "keras": to_keras}[framework](CosineAnnealing(total_steps=total), PEAK)
    for left in (1, 2, 3, 1000, total // 2, total - 1):
        expected = PEAK * np.sin(np.pi * left / (2 * total)) ** 2
        assert float(rate(total - left)) == pytest.approx(expected, rel=1e-7)
    assert float(rate(total)) == float(rate(total + 5)) == 0.0


@pytest.mark.filterwarnings("ignore")
@keras_needed
def test_keras_writes_it_and_reads_it_again():
    import frameworks

    keras = frameworks.torch_keras()
    rate = to_keras(SHAPES["wsd"], PEAK, steps=T)
    written = json.dumps(keras.optimizers.schedules.serialize(rate))
    assert len(written) < 1000
    again = keras.optimizers.schedules.deserialize(json.loads(written))
    assert [float(again(t)) for t in range(T + 3)] == [float(rate(t)) for t in range(T + 3)]
    optimizer = keras.optimizers.SGD(rate)
    twin = keras.optimizers.SGD.from_config(optimizer.get_config())
    assert float(twin.learning_rate) == float(optimizer.learning_rate)


@pytest.mark.filterwarnings("ignore")
@keras_needed
def test_a_keras_model_is_saved_with_it(tmp_path):
    import frameworks

    keras = frameworks.torch_keras()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(to_keras(LinearDecay(total_steps=8), PEAK)), "mse")
    model.fit(np.ones((4, 1)), np.ones((4, 1)), batch_size=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert float(again.optimizer.learning_rate) == pytest.approx(PEAK / 2, rel=1e-7)


@pytest.mark.parametrize(("convert", "package"), [(to_optax, "optax"), (to_keras, "keras")])
def test_a_missing_framework_is_one_sentence(convert, package, monkeypatch):
    real = builtins.__import__
    from lrlib.adapters import _tables

    def without(name):
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real(name)

    monkeypatch.setattr(_tables, "import_module", without)
    with pytest.raises(
        ModuleNotFoundError,
        match=f"^to_{package} needs {package}, which is not installed: pip install {package}$",
    ):
        convert(Constant(), PEAK, steps=3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "convert", [pytest.param(to_optax, marks=optax_needed), pytest.param(to_keras, marks=keras_needed)]
)
def test_what_makes_no_table_is_refused(convert, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(ValueError, match=r"TimeDecay\(decay=0.01\) has no end; say by steps="):
        convert(TimeDecay(decay=0.01), PEAK)
    with pytest.raises(TypeError, match="schedule must be a lrlib Schedule"):
        convert(lambda t: 1.0, PEAK, steps=3)
    with pytest.raises(ValueError, match="peak_lr must be > 0 and finite, got -1"):
        convert(Constant(), -1, steps=3)
