"""What Pillow sees in picture files, a line for each: size, mode, SHA-256 of the RGB pixels, length of the XMP packet."""

import hashlib
import sys

from PIL import Image

for name in sys.argv[1:]:
    with Image.open(name) as picture:
        pixels = picture.convert("RGB").tobytes()
        xmp = picture.info.get("xmp", b"") or picture.info.get("XML:com.adobe.xmp", "").encode()
        print(*picture.size, picture.mode, hashlib.sha256(pixels).hexdigest(), len(xmp))
