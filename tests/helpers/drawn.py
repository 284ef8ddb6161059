"""What stands in a figure, read off its artists: for the tests of figures."""


def heights(axes):
    """Return the value at which each label on the right stands."""
    to_data = axes.transAxes + axes.transData.inverted()
    return {text.get_text(): to_data.transform((1.0, text.xy[1]))[1] for text in axes.texts}
