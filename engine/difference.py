"""How far a file is from another that should hold the same."""

import filecmp
from dataclasses import dataclass
from pathlib import Path

Size = tuple[int, int]


@dataclass(frozen=True)
class Difference:
    """Whether two files hold the same picture, and by how much they miss it.

    The figures are None where there are none: for files that are no pictures, or whose pictures
    differ in size.
    """

    identical: bool
    """All pixels are the same, whatever else the files carry; without pictures, all bytes."""
    share: float | None = None
    """The share of the pixels that differ, 0-1."""
    largest: float | None = None
    """The largest difference of a channel, in steps of 8 bits (0-255)."""
    mean: float | None = None
    """The mean absolute difference of all channels, in the same steps."""
    psnr: float | None = None
    """The peak signal-to-noise ratio in decibels; None also if nothing differs."""
    sizes: tuple[Size, Size] | None = None
    """Width and height of both pictures, if they differ in that."""

    @property
    def text(self) -> str:
        """The difference in words, to follow "the picture" or "the file"."""
        if self.identical:
            return "is the same " + ("byte for byte" if self.share is None else "pixel for pixel")
        if self.sizes is not None:
            before, after = (f"{width} x {height}" for width, height in self.sizes)
            return f"measures {after} pixels, it was {before}"
        if self.share is None:
            return "has other bytes"
        return (
            f"differs in {100 * self.share:.3g} % of its pixels, by {self.largest:.3g} of 255 steps"
            f" at most and {self.mean:.3g} on average (PSNR {self.psnr:.1f} dB)"
        )


def by_bytes(before: Path, after: Path) -> Difference:
    """Compare two files of which nothing is known but their bytes.

    Raises:
        OSError: One of them cannot be read.
    """
    return Difference(identical=filecmp.cmp(before, after, shallow=False))
