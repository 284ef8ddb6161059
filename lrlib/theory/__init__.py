"""What a schedule does where that can be computed: in a noisy valley, in two weights, and by its area.

`Valley` gives the expected loss of a quadratic under gradient noise, in closed form; `TwoWeights` is the
smallest network whose curvature changes while it is trained; both take any function of the step. `area` is
the mean of a schedule's factors. The room needs numpy and scipy.
"""

from lrlib.theory.area import area, power_with_area, spent
from lrlib.theory.rates import rates
from lrlib.theory.two_weights import TwoPath, TwoWeights
from lrlib.theory.valley import Best, Trajectory, Valley, momentum_path

__all__ = [
    "Best",
    "Trajectory",
    "TwoPath",
    "TwoWeights",
    "Valley",
    "area",
    "momentum_path",
    "power_with_area",
    "rates",
    "spent",
]
