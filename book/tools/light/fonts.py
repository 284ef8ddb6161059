"""Fonts with fewer characters: `python -m tools.light.fonts SOURCE.ttf` writes the one of formulas again."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

#: More than today's formulas use, so that a new one seldom needs a new font.
MATH = "".join(
    [
        "".join(map(chr, range(0x20, 0x7F))),
        "".join(chr(code) for code in range(0x1D434, 0x1D468) if code != 0x1D455),  # italic h is ℎ
        "".join(map(chr, range(0x1D6FC, 0x1D71C))),
        "ℎαβγδεζηθικλμνξπρστυφχψωϵΓΔΘΛΞΠΣΦΨΩ",
        "−±×÷·⋅∗∘⟨⟩⌈⌉⌊⌋∥‖∣≤≥≠≈≡∼∝≪≫∈∉⊂⊆∪∩∀∃∅∞∂∇∑∏∫√←→⇐⇒↦↔…⋯′∧∨¬ℓℝℕℤ𝔼ˆ¯˜˙⏟⏞‾",
        "\u2061\u2062\u2063",  # function application and others that are not seen,
    ]
)


def cut(source: Path, characters: str) -> bytes:
    """Return the font with these characters alone, and what they grow into, as WOFF2."""
    font = TTFont(source)
    # Optical sizes of indices (feature ssty) would double it; no pixel in Chromium changes without them.
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # 13 and 14: the licence stays with the font
    options.drop_tables += ["DSIG", "FFTM"]
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(font)
    if "MATH" in font:
        # Browsers lower an index below the descender of every base; TeX below that of a composed one alone.
        font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = 0
    font.flavor = "woff2"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def characters(source: Path) -> set[str]:
    """Return the characters of a font."""
    return {chr(code) for code in TTFont(source).getBestCmap()}


def as_data(font: bytes) -> str:
    """Return a font as it stands in a style sheet's data address."""
    return base64.b64encode(font).decode()


if __name__ == "__main__":
    Path(__file__).with_name("stix-two-math.woff2").write_bytes(cut(Path(sys.argv[1]), MATH))
