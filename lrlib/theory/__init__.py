"""What a schedule does where that can be computed: bounds, a noisy valley, two weights, and its area.

`worst_case` and `omega` bound the loss of every convex problem; `Valley` gives the expected loss of a
quadratic under gradient noise, in closed form; `TwoWeights` is the smallest network whose curvature changes
while it is trained. All take any function of the step. `area` is the mean of a schedule's factors. The room
needs numpy and scipy.
"""

from lrlib.theory.area import area, power_with_area, spent
from lrlib.theory.convex import AreaAndNoise, Bound, WorstCase, area_and_noise, asked_for, omega, worst_case
from lrlib.theory.rates import rates
from lrlib.theory.two_weights import TwoPath, TwoWeights
from lrlib.theory.valley import Best, Trajectory, Valley, momentum_path

__all__ = [
    "AreaAndNoise",
    "Best",
    "Bound",
    "Trajectory",
    "TwoPath",
    "TwoWeights",
    "Valley",
    "WorstCase",
    "area",
    "area_and_noise",
    "asked_for",
    "momentum_path",
    "omega",
    "power_with_area",
    "rates",
    "spent",
    "worst_case",
]
