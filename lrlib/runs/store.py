"""Records as files: how they are called."""

from __future__ import annotations

from lrlib.runs.config import PRESETS, RunConfig, preset

__all__ = ["run_name"]


def run_name(config: RunConfig, *varied: str, study: bool = False) -> str:
    """Return the name of a run's files, without their ending.

    Parameters
    ----------
    config : RunConfig
    *varied : str
        What else tells the runs of a study apart, such as "epochs20".
    study : bool
        Whether the files stand in the folder of a study, whose file says all that its runs share. Elsewhere
        the name begins with the preset of this network and data; where a field differs from that preset, or
        there is none, it ends with the first 8 digits of the config's identity.

    Examples
    --------
    >>> config = preset("digits", recipe="linear", seed=3)
    >>> run_name(config), run_name(config, "epochs8", study=True)
    ('digits-linear-seed3', 'linear-seed3-epochs8')
    >>> run_name(config.changed(epochs=2))  # doctest: +ELLIPSIS
    'digits-linear-seed3-...'
    """
    words = [config.recipe.label, f"seed{config.seed}", *varied]
    if study:
        return "-".join(words)
    for name, fields in PRESETS.items():
        if (config.network, config.dataset) == (fields["network"], fields["dataset"]):
            first, unchanged = name, preset(name, recipe=config.recipe, seed=config.seed)
            break
    else:
        first, unchanged = config.network, None
    return "-".join([first, *words, *([] if config == unchanged else [config.identity()[:8]])])
