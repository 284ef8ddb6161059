"""Made-up runs with curves that can be decided on paper, and for each sentence of the claims page data that
show it, deny it, or leave it open."""

from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN
from lrlib.runs.published import published
from synthetic import synthetic_run

FIVE = ("constant", "time", "drop", "linear", "poly5")
PRESET = {"source": "source", "resnet50": "resnet50", "laptop": "laptop", "digits": "digits"}
# Points of accuracy by seed, with mean 0; rotated by one for each schedule, so that differences vary.
JITTER = (-0.02, -0.01, 0.0, 0.01, 0.02)


def accuracies(points, *, seeds=5, experiment="laptop", peak_lr=0.1):
    """Runs of one epoch that end so many points above 80 %, on average over five seeds."""
    return [
        synthetic_run(
            name,
            {"test_accuracy": [0.80 + (above + JITTER[(seed + FIVE.index(name)) % 5]) / 100]},
            of=PRESET[experiment],
            seed=seed,
            peak_lr=peak_lr,
        )
        for name, above in points.items()
        for seed in range(1, seeds + 1)
    ]


def printed(**test_accuracy):
    """The source's table with some test accuracies replaced."""
    table = published().source
    rows = tuple(
        row.model_copy(update={"test_accuracy": test_accuracy.get(row.schedule, row.test_accuracy)})
        for row in table.rows
    )
    return table.model_copy(update={"rows": rows})


def run(name, *, train=None, test=None, accuracy=None, experiment="source", seed=1, status="finished"):
    """A run with these curves; losses get a penalty of 0.01 more."""
    columns = {"train_loss": train, "test_loss": test, "test_accuracy": accuracy}
    kept = {key: column for key, column in columns.items() if column}
    return synthetic_run(name, kept, of=PRESET[experiment], seed=seed, status=status)


def ramp(first, last, epochs=100):
    return [first + (last - first) * k / (epochs - 1) for k in range(epochs)]


def step(at, before=1.0, after=0.0, epochs=100):
    """`before` up to the epoch before `at`, `after` from there on; epochs from 1."""
    return [before if epoch < at else after for epoch in range(1, epochs + 1)]


def cliff(at, epochs=100):
    """From 2 to 1 in the first tenth, level, from 1 to 0.5 in epoch `at`, then slowly to 0.3 at the end."""
    begin = epochs // 10
    down = ramp(0.5, 0.3, epochs - at + 1)
    return [2 - e / begin if e <= begin else 1.0 if e < at else down[e - at] for e in range(1, epochs + 1)]


def drop_run(at, seed=1, experiment="source"):
    curve = cliff(at)
    return run(
        "drop", train=curve, test=curve, accuracy=[1 - y / 4 for y in curve], seed=seed, experiment=experiment
    )


def steps_to(constant, others, seeds=5, experiment="laptop"):
    """Runs whose test accuracy jumps from 50 to 80 % in these epochs, by schedule."""
    return [
        run(name, accuracy=step(at, 0.5, 0.8), seed=seed, experiment=experiment)
        for seed in range(1, seeds + 1)
        for name, at in {"constant": constant, **others}.items()
    ]


def rates(accuracies):
    """Runs at a constant rate with these final accuracies, by rate and seed."""
    return [
        synthetic_run("constant", {"test_accuracy": [accuracy]}, seed=seed, peak_lr=rate)
        for rate, column in accuracies.items()
        for seed, accuracy in enumerate(column, 1)
    ]


def rate_grid(points, seeds=5):
    """Runs at a constant rate over peak rates, that end so many points above 80 %."""
    return rates(
        {
            rate: [0.80 + (above + JITTER[(seed + turn) % 5]) / 100 for seed in range(1, seeds + 1)]
            for turn, (rate, above) in enumerate(points.items())
        }
    )


def verdict(rule, *runs):
    """The verdict of a rule on some runs."""
    return rule(list(runs)).verdict


SLOW = {"time": 41, "drop": 41, "linear": 41, "poly5": 41}

# claim -> verdict -> experiment -> evidence
CASES = {
    "rates": {
        SEEN: {"rates": lambda: rate_grid({0.003: -5, 0.1: 0, 1.0: -5})},
        NOT_SEEN: {"rates": lambda: rate_grid({0.003: 5, 0.1: 0, 1.0: -5})},
        CANNOT_BE_TOLD: {"rates": lambda: rate_grid({0.003: -5, 0.1: 0, 1.0: -5}, seeds=1)},
    },
    "faster": {
        SEEN: {"digits": lambda: steps_to(80, {**SLOW, "poly5": 40}, experiment="digits")},
        NOT_SEEN: {"laptop": lambda: steps_to(80, SLOW)},
        CANNOT_BE_TOLD: {"laptop": lambda: steps_to(80, {**SLOW, "poly5": 40}, seeds=4)},
    },
    "time": {
        SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "time": -2}),
            "logs": lambda: printed(constant=0.84, time=0.815),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "time": 2}),
            "resnet50": lambda: accuracies({"constant": 0, "time": -4}, experiment="resnet50"),
            "logs": lambda: printed(constant=0.84, time=0.79),
        },
        CANNOT_BE_TOLD: {
            "laptop": lambda: accuracies({"constant": 0, "time": -2}, seeds=1),
            "logs": lambda: printed(constant=0.84, time=0.83),
        },
    },
    "drop": {
        SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "drop": 3}),
            "logs": lambda: printed(constant=0.84, drop=0.87),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "drop": 0}),
            "logs": lambda: printed(constant=0.84, drop=0.81),
        },
        CANNOT_BE_TOLD: {
            "source": lambda: accuracies({"constant": 0, "drop": 3}, seeds=1, experiment="source"),
            "logs": lambda: printed(constant=0.84, drop=0.85),
        },
    },
    "drop, end": {
        SEEN: {"laptop": lambda: [run("drop", train=ramp(2, 1), test=ramp(2, 1), experiment="laptop")]},
        NOT_SEEN: {"resnet50": lambda: [run("drop", train=ramp(2, 1), test=step(70), experiment="resnet50")]},
        CANNOT_BE_TOLD: {
            "source": lambda: [
                run("drop", train=ramp(2, 1), test=ramp(2, 1), seed=1),
                run("drop", train=ramp(2, 1), test=step(70), seed=2),
            ]
        },
    },
    "drop, 15-20": {
        SEEN: {"source": lambda: [drop_run(16), drop_run(15, seed=2)]},
        NOT_SEEN: {"source": lambda: [drop_run(40)]},
        CANNOT_BE_TOLD: {"source": lambda: [drop_run(16), drop_run(40, seed=2)], "logs": printed},
    },
    "linear, drop": {
        SEEN: {
            "laptop": lambda: accuracies({"drop": 3, "linear": 3.2}),
            "logs": lambda: printed(drop=0.9999, linear=0.9999),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies({"drop": 3, "linear": 5}),
            "logs": lambda: printed(drop=0.87, linear=0.90),
        },
        CANNOT_BE_TOLD: {
            "laptop": lambda: accuracies({"drop": 3, "linear": 3.2}, seeds=1),
            "logs": lambda: printed(drop=0.87, linear=0.875),
        },
    },
    "huge": {
        SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "linear": 3}),
            "logs": lambda: printed(constant=0.84, linear=0.875),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "linear": 2.99}),
            "logs": lambda: printed(constant=0.84, linear=0.865),
        },
        CANNOT_BE_TOLD: {
            "laptop": lambda: accuracies({"constant": 0, "linear": 3}, seeds=1),
            "logs": lambda: printed(constant=0.84, linear=0.85),
        },
    },
    "linear, loss": {
        SEEN: {
            "laptop": lambda: [
                run("linear", train=ramp(2, 1), experiment="laptop"),
                drop_run(16, experiment="laptop"),
            ]
        },
        NOT_SEEN: {
            "laptop": lambda: [
                run(name, train=ramp(2, 1), experiment="laptop") for name in ("linear", "drop")
            ],
            "resnet50": lambda: [
                run("linear", train=cliff(40), experiment="resnet50"),
                drop_run(16, experiment="resnet50"),
            ],
        },
        CANNOT_BE_TOLD: {"laptop": lambda: [run("linear", train=ramp(2, 1), experiment="laptop")]},
    },
    "linear, 70-80": {
        SEEN: {"source": lambda: [run("linear", test=cliff(75))]},
        NOT_SEEN: {"source": lambda: [run("linear", test=ramp(2, 1))]},
        CANNOT_BE_TOLD: {
            "source": lambda: [run("linear", test=cliff(75)), run("linear", test=ramp(2, 1), seed=2)],
            "logs": printed,
        },
    },
    "linear, accuracy": {
        SEEN: {"laptop": lambda: [run("linear", accuracy=ramp(0.2, 0.8), experiment="laptop")]},
        NOT_SEEN: {"source": lambda: [run("linear", accuracy=step(50, 0.2, 0.8))]},
        CANNOT_BE_TOLD: {
            "laptop": lambda: [
                run("linear", accuracy=ramp(0.2, 0.8), seed=1, experiment="laptop"),
                run("linear", accuracy=step(50, 0.2, 0.8), seed=2, experiment="laptop"),
            ]
        },
    },
    "decaying": {
        SEEN: {
            "digits": lambda: accuracies(dict(zip(FIVE, (0, -1, 3, 4, 2), strict=True)), experiment="digits"),
            "logs": lambda: printed(constant=0.84, time=0.87, drop=0.87, linear=0.87, poly5=0.87),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies(dict(zip(FIVE, (0, -5, 0, 0, 1), strict=True))),
            "logs": lambda: printed(constant=0.84, time=0.81, drop=0.81, linear=0.81, poly5=0.81),
        },
        CANNOT_BE_TOLD: {
            "laptop": lambda: accuracies(dict(zip(FIVE, (0, -1, 3, 4, 2), strict=True)), seeds=1),
            "logs": lambda: printed(constant=0.84, time=0.85, drop=0.85, linear=0.85, poly5=0.85),
        },
    },
    "poly5": {
        SEEN: {
            "laptop": lambda: accuracies({"drop": 3, "linear": 3.2, "poly5": 3.1}),
            "logs": lambda: printed(drop=0.9999, linear=0.9998, poly5=0.9999),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies({"drop": 3, "linear": 3.2, "poly5": 1.5}),
            "logs": lambda: printed(drop=0.87, linear=0.87, poly5=0.80),
        },
        CANNOT_BE_TOLD: {
            "laptop": lambda: accuracies({"drop": 3, "poly5": 3.1}),  # linear is not recorded
            "logs": lambda: printed(drop=0.87, linear=0.87, poly5=0.87),
        },
    },
    "poly5, 25": {
        SEEN: {"source": lambda: [run("poly5", train=step(25))]},
        NOT_SEEN: {"source": lambda: [run("poly5", train=step(60))]},
        CANNOT_BE_TOLD: {
            "source": lambda: [run("poly5", train=step(25)), run("poly5", train=step(60), seed=2)],
            "logs": printed,
        },
    },
    "best": {
        SEEN: {
            "laptop": lambda: accuracies(dict(zip(FIVE, (0, 1, 2, 5, 3), strict=True))),
            "logs": lambda: printed(linear=0.92),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies(dict(zip(FIVE, (0, 1, 2, 5, 7), strict=True))),
            "logs": lambda: printed(linear=0.84),
        },
        CANNOT_BE_TOLD: {
            "laptop": lambda: accuracies(dict(zip(FIVE, (0, 1, 2, 5, 5), strict=True))),  # level with poly5
            "logs": lambda: printed(linear=0.87, drop=0.868),
        },
    },
    "linear": {
        SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "linear": 2}),
            "logs": lambda: printed(constant=0.84, linear=0.87),
        },
        NOT_SEEN: {
            "laptop": lambda: accuracies({"constant": 0, "linear": -2}),
            "logs": lambda: printed(constant=0.87, linear=0.84),
        },
        CANNOT_BE_TOLD: {
            "laptop": lambda: accuracies({"constant": 0, "linear": 2}, seeds=1),
            "logs": lambda: printed(constant=0.84, linear=0.855),
        },
    },
}
