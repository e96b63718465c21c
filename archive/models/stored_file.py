"""A file that holds an instance: as received, or recompressed without loss."""

from django.db import models


class StoredFile(models.Model):
    """One representation on disk. ``key`` becomes a path only in ``archive.storage.layout``."""

    instance = models.OneToOneField("archive.Instance", on_delete=models.CASCADE, related_name="stored_file")
    key = models.CharField(max_length=160, unique=True)
    size = models.PositiveBigIntegerField()
    transfer_syntax_uid = models.CharField(max_length=64)
    file_digest = models.CharField(max_length=64)
    """SHA-256 of the data set part of this file; equals the instance's digest unless it was recompressed."""
    frame_index = models.BinaryField()
    """``archive.pixels.frames.FrameIndex`` packed: where each frame's bytes are."""
    is_as_received = models.BooleanField(default=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    damage = models.CharField(max_length=255, blank=True)
    """What the last check found wrong, in words; a damaged file is never drawn as if whole."""

    def __str__(self) -> str:
        return self.key
