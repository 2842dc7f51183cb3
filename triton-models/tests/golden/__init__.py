"""Numbers recorded from the originals, and the script that recorded them."""

from pathlib import Path

GOLDEN = Path(__file__).parent
