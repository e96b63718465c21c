"""Polarity: MONOCHROME1, presentation LUT shape and the reader's inversion.

The last grey-scale step (PS3.3 C.7.6.3.1.2, C.11.6). What the *image* says turns
the ramp of the VOI step around, which is how dcmtk truncates it; what the *reader*
asks for is the complement of what would be on the screen, 255 less each value.
Padded pixels are black in every case.
"""

from __future__ import annotations

from archive.pixels.description import ImageDescription
from viewer.rendering.modality_lut import has_entries
from viewer.rendering.parameters import RenderParameters


def image_is_inverted(description: ImageDescription, photometric_interpretation: str) -> bool:
    """True where the lowest value is shown white.

    MONOCHROME1 and a presentation LUT shape INVERSE say the same thing once, not
    twice: a DX image of MONOCHROME1 carries INVERSE by rule (PS3.3 C.8.11.3). The
    entries of a presentation LUT are P-values already, whatever the polarity before.
    """
    if has_entries(description.presentation_lut):
        return False
    return photometric_interpretation == "MONOCHROME1" or description.presentation_lut_shape == "INVERSE"


def reader_inverts(parameters: RenderParameters, *, stack_inverted: bool) -> bool:
    """Whether the complement is shown: asked for, or the stack's first look (PET: black on white)."""
    if parameters.invert is not None:
        return parameters.invert
    return stack_inverted and parameters.window is None and not parameters.presentation_state
