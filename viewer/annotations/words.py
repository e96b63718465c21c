"""What stands beside a measurement in objects that others read: its name and its values, as on the screen."""

from __future__ import annotations

from viewer.annotations.exported import Measured
from viewer.annotations.shapes import Kind


def words_of(one: Measured) -> str:
    """Lines of text; empty where there is nothing to say.

    Lengths that a reader must know something of carry an asterisk, as in the viewer.
    """
    return "\r\n".join(part for part in (one.label, *_values(one)) if part)


def _values(one: Measured) -> list[str]:
    measures = one.measures
    if measures.angle_degrees is not None:
        return [f"{'Cobb ' if one.shape.kind is Kind.COBB else ''}{measures.angle_degrees:.1f}°"]
    star = " *" if measures.note and measures.unit == "mm" else ""
    found = [f"{length:.1f} {measures.unit}{star}" for length in measures.lengths]
    if one.statistics is not None and one.statistics.mean is not None:
        of_uptake, of_file = one.uptake, one.statistics
        mean, unit = (of_uptake["mean"], of_uptake["name"]) if of_uptake else (of_file.mean, of_file.unit)
        found.append(f"mean {mean:.1f} {unit}".rstrip())
    if measures.area is not None:
        square = "mm²" if measures.unit == "mm" else "px"
        found.append(f"area {measures.area:.1f} {square}{star}")
    return found
