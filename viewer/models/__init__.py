"""The reading side's nouns, one a module."""

from viewer.models.preferences import Preferences
from viewer.models.reading_task import ReadingTask
from viewer.models.window_preset import WindowPreset

__all__ = ["Preferences", "ReadingTask", "WindowPreset"]
