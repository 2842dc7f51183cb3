# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pillow==13.0.0"]
# ///
"""Makes the awkward pictures in this folder, and expected.tsv: what a viewer shows of each.

A line is name, width, height and the RGB bytes (deflated, in base64). A picture without a line is to be
refused. The pixels to expect come from Pillow (libjpeg-turbo, libwebp, LittleCMS), or from numpy where Pillow
cannot read all of a picture. PhotoDecoderTest compares; docs/hostile-input.md has them all.
"""

import base64
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 27, 18  # no multiple of a JPEG's or a WebP's block
expected_pixels: dict[str, np.ndarray] = {}

y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
RGB = np.stack([x * 9, y * 14, 255 - x * 4 - y * 7], axis=-1).astype(np.uint8)  # smooth, no two corners alike
RGB[4:9, 5:12] = [200, 40, 60]
ALPHA = ((x * 255) // (WIDTH - 1)).astype(np.uint8)
PICTURE = Image.fromarray(RGB)
LEVELS = np.arange(30000) // 8 % 256
LINE = np.stack([LEVELS, 255 - LEVELS, np.full_like(LEVELS, 128)], axis=-1).astype(np.uint8)[None]


def over_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """[h,w,3] and [h,w], both 0..255 -> [h,w,3]."""
    opacity = alpha[..., None] / 255
    return np.round(rgb * opacity + 255 * (1 - opacity)).astype(np.uint8)


def keep(name: str, file: bytes, expected: np.ndarray | None = None) -> None:
    """Writes a picture and what to expect; by default, what Pillow sees."""
    (FOLDER / name).write_bytes(file)
    if expected is None:
        expected = seen(file)
    expected_pixels[name] = np.ascontiguousarray(expected, np.uint8)


def refuse(name: str, file: bytes) -> None:
    """Writes a picture that is not to be decoded."""
    (FOLDER / name).write_bytes(file)


def seen(file: bytes) -> np.ndarray:
    """What Pillow decodes, orientation and profile applied, over white."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    profile = picture.info.get("icc_profile")
    alpha = np.full((picture.height, picture.width), 255, np.uint8)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = np.asarray(picture.convert("RGBA"))
        picture, alpha = Image.fromarray(np.ascontiguousarray(rgba[..., :3])), rgba[..., 3]
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        picture = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return over_white(np.asarray(picture.convert("RGB")), alpha)


def encoded(picture: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def archive() -> bytes:
    """A zip archive, which is found from its end."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        members.writestr(zipfile.ZipInfo("readme.txt"), "this is a picture, too")
    return file.getvalue()


# ICC profiles


def profile(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    """An ICC version 2 input profile."""
    tags = {
        b"desc": b"desc" + struct.pack(">4xI", 5) + b"test\0" + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        **tags,
    }
    tags[b"wtpt"] = xyz(0.9642, 1.0, 0.8249)
    body, table = b"", struct.pack(">I", len(tags))
    for name, tag in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s", 128 + len(table) + len(body), 0x02400000, b"scnr", space, pcs, b"acsp"
    )
    return head.ljust(68, b"\0") + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D) + bytes(48) + table + body


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(*values)


def gamma(value: float) -> bytes:
    return b"curv" + struct.pack(">4xIH", 1, round(value * 256))


def wide_gamut() -> bytes:
    """The primaries of Display P3, adapted to D50, and a gamma of 2.2."""
    primaries = {
        b"rXYZ": xyz(0.5151, 0.2412, -0.0011),
        b"gXYZ": xyz(0.2919, 0.6922, 0.0419),
        b"bXYZ": xyz(0.1572, 0.0666, 0.7841),
    }
    return profile(b"RGB ", primaries | {name: gamma(2.2) for name in (b"rTRC", b"gTRC", b"bTRC")})


def printing_inks() -> bytes:
    """CMYK whose inks are less than ideal: a table of the 16 overprints in CIELAB."""
    lab = ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), lab, "RGB", "LAB")
    inks = np.array([[0, 158, 224], [230, 0, 126], [255, 237, 0], [30, 30, 30]]) / 255
    table = b""
    for overprint in range(16):
        on = [bool(overprint >> (3 - ink) & 1) for ink in range(4)]  # the last ink varies fastest
        colour = np.round(255 * np.prod(np.where(np.array(on)[:, None], inks, 1), axis=0)).astype(np.uint8)
        level = np.asarray(ImageCms.applyTransform(Image.fromarray(colour[None, None]), to_lab))[0, 0]
        table += bytes([level[0], (int(level[1]) + 128) % 256, (int(level[2]) + 128) % 256])
    identity = bytes(range(256))
    lut = (
        b"mft1\0\0\0\0"
        + bytes([4, 3, 2, 0])
        + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
        + identity * 4
        + table
        + identity * 3
    )
    return profile(b"CMYK", {b"A2B0": lut}, pcs=b"Lab ")


# JPEG


def jpegs() -> None:
    for orientation in range(1, 9):
        keep(f"orientation-{orientation}.jpg", encoded(PICTURE, "JPEG", quality=90, exif=exif(orientation)))
    plain = encoded(PICTURE, "JPEG", quality=90, subsampling="4:4:4")
    keep("full-chroma.jpg", plain)
    keep("half-chroma.jpg", encoded(PICTURE, "JPEG", quality=90, subsampling="4:2:2"))
    keep("progressive.jpg", encoded(PICTURE, "JPEG", quality=90, progressive=True))
    keep("restarts.jpg", encoded(PICTURE, "JPEG", quality=90, restart_marker_blocks=1))
    keep("grey.jpg", encoded(PICTURE.convert("L"), "JPEG", quality=90))
    keep("stored-as-rgb.jpg", encoded(PICTURE, "JPEG", quality=90, keep_rgb=True))
    keep("wide-gamut.jpg", encoded(PICTURE, "JPEG", quality=95, icc_profile=wide_gamut()))
    light = profile(b"GRAY", {b"kTRC": gamma(1.4)})
    keep("grey-profile.jpg", encoded(PICTURE.convert("L"), "JPEG", quality=90, icc_profile=light))
    keep(
        "damaged-profile.jpg",
        encoded(PICTURE, "JPEG", icc_profile=wide_gamut()[:200]),
        seen(encoded(PICTURE, "JPEG")),
    )
    cmyk = encoded(PICTURE.convert("CMYK"), "JPEG", quality=90)
    keep("cmyk.jpg", cmyk)
    adobe = cmyk.index(b"Adobe")
    keep("ycck.jpg", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :])
    inks = np.stack([x * 9, y * 14, 255 - x * 9, x * y // 3], axis=-1).astype(np.uint8)
    printed = Image.frombytes("CMYK", (WIDTH, HEIGHT), inks.tobytes())
    keep("cmyk-profile.jpg", encoded(printed, "JPEG", quality=95, icc_profile=printing_inks()))
    jfif = 4 + int.from_bytes(plain[4:6])
    keep("no-jfif.jpg", plain[:2] + plain[jfif:])
    keep("garbage-between-segments.jpg", plain[:jfif] + b"\0\1\2" + plain[jfif:])
    keep("trailing-film.jpg", plain + bytes(100))
    odd = bytearray(plain)
    frame, scan = odd.index(b"\xff\xc0"), odd.index(b"\xff\xda")
    for component in range(3):  # some cameras count from 0
        odd[frame + 10 + 3 * component] = odd[scan + 5 + 2 * component] = component
    keep("components-from-0.jpg", bytes(odd))
    keep(
        "exif-damaged.jpg",
        encoded(PICTURE, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xf0"),
        seen(encoded(PICTURE, "JPEG")),
    )
    inks_profile = encoded(PICTURE, "JPEG", quality=90, icc_profile=printing_inks())
    keep("profile-of-inks.jpg", inks_profile, seen(encoded(PICTURE, "JPEG", quality=90)))
    keep("embedded-thumbnail.jpg", encoded(PICTURE, "JPEG", quality=90, exif=exif(3).tobytes() + plain))
    keep("also-a-zip.jpg", plain + archive())
    script = b"<html><script>alert(1)</script>"
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(script)) + script
    keep("also-html.jpg", plain[:jfif] + comment + plain[jfif:])
    keep("one-pixel.jpg", encoded(Image.new("RGB", (1, 1), (10, 200, 90)), "JPEG", quality=95))
    column = Image.fromarray(LINE.transpose(1, 0, 2))
    keep("1x30000.jpg", encoded(column, "JPEG", quality=95, subsampling="4:4:4"))
    refuse("truncated.jpg", plain[: len(plain) * 2 // 3])
    refuse("no-end.jpg", plain[:-2])
    refuse("header-only.jpg", plain[:scan])
    progressive = encoded(PICTURE, "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    refuse("many-scans.jpg", progressive[:-2] + progressive[last:-2] * 200 + b"\xff\xd9")
    for name, at, values in (
        ("bomb.jpg", 5, struct.pack(">HH", 60000, 60000)),
        ("no-height.jpg", 5, bytes(2)),
        ("12-bit.jpg", 4, b"\x0c"),
        ("arithmetic.jpg", 1, b"\xc9"),
    ):
        patched = bytearray(plain)
        patched[frame + at : frame + at + len(values)] = values
        refuse(name, bytes(patched))
    bomb = bytearray(progressive[:-2] + progressive[last:-2] * 20 + b"\xff\xd9")
    frame = bomb.index(b"\xff\xc2")
    bomb[frame + 5 : frame + 9] = struct.pack(">HH", 6000, 8000)
    refuse("scan-bomb.jpg", bytes(bomb))


# PNG


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    samples: np.ndarray,
    depth: int,
    colour_type: int,
    *chunks: bytes,
    passes: tuple | None = None,
    surplus: int = 0,
) -> bytes:
    """[h,w,n] samples of up to 16 bits, filter 0; `passes` are Adam7's (x, y, step x, step y).

    `surplus` zeros follow the samples.
    """
    height, width = samples.shape[:2]
    rows = b""
    for left, top, right, down in passes or ((0, 0, 1, 1),):
        for row in samples[top::down, left::right]:
            if not row.size:
                continue
            if depth == 16:
                data = row.astype(">u2").tobytes()
            elif depth == 8:
                data = row.astype(np.uint8).tobytes()
            else:
                bits = "".join(f"{value:0{depth}b}" for value in row.ravel())
                data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
            rows += b"\0" + data
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 1 if passes else 0)
    body = (
        chunk(b"IHDR", header)
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(rows + bytes(surplus), 9))
        + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


def black(width: int, height: int) -> bytes:
    """A picture of one bit a pixel."""
    header = struct.pack(">IIBBBBB", width, height, 1, GREY, 0, 0, 0)
    data = zlib.compress(bytes(height * (1 + -(-width // 8))), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6


def grey(levels: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(levels)[..., None], 3, axis=-1)


def pngs() -> None:
    keep("rgb.png", png(RGB, 8, COLOUR), RGB)
    keep("rgba.png", png(np.dstack([RGB, ALPHA]), 8, COLOUR_ALPHA), over_white(RGB, ALPHA))
    keep("interlaced.png", png(RGB, 8, COLOUR, passes=ADAM7), RGB)
    levels = RGB[..., 2]
    keep("grey.png", png(levels, 8, GREY), grey(levels))
    keep("grey-alpha.png", png(np.dstack([levels, ALPHA]), 8, GREY_ALPHA), over_white(grey(levels), ALPHA))
    for depth in 1, 2, 4:
        few = levels >> (8 - depth)
        shown = grey(few * (255 // (2**depth - 1)))
        keep(f"grey-{depth}-bit.png", png(few, depth, GREY), shown)
        key = chunk(b"tRNS", struct.pack(">H", 1))
        keep(
            f"grey-{depth}-bit-key.png",
            png(few, depth, GREY, key),
            over_white(shown, np.where(few == 1, 0, 255)),
        )
    key = chunk(b"tRNS", struct.pack(">H", int(levels[9, 9])))
    keep(
        "grey-key.png",
        png(levels, 8, GREY, key),
        over_white(grey(levels), np.where(levels == levels[9, 9], 0, 255)),
    )
    key = chunk(b"tRNS", struct.pack(">3H", 200, 40, 60))
    red = (np.array([200, 40, 60]) == RGB).all(-1)
    keep("rgb-key.png", png(RGB, 8, COLOUR, key), over_white(RGB, np.where(red, 0, 255)))

    fine = RGB.astype(np.uint32) * 256 + np.random.default_rng(1).integers(0, 256, RGB.shape)
    coarse = np.round(fine / 257).astype(np.uint8)
    fine_alpha = ALPHA.astype(np.uint32) * 257
    keep("rgb-16-bit.png", png(fine, 16, COLOUR), coarse)
    keep("grey-16-bit.png", png(fine[..., 0], 16, GREY), grey(coarse[..., 0]))
    keep("rgba-16-bit.png", png(np.dstack([fine, fine_alpha]), 16, COLOUR_ALPHA), over_white(coarse, ALPHA))
    both = np.dstack([fine[..., 0], fine_alpha])
    keep("grey-alpha-16-bit.png", png(both, 16, GREY_ALPHA), over_white(grey(coarse[..., 0]), ALPHA))
    key = chunk(b"tRNS", struct.pack(">3H", *fine[6, 6]))
    only = (fine == fine[6, 6]).all(-1)  # others differ in the lower byte
    keep("rgb-16-bit-key.png", png(fine, 16, COLOUR, key), over_white(coarse, np.where(only, 0, 255)))

    indexed = PICTURE.quantize(13)
    keep("palette.png", encoded(indexed, "PNG"))
    keep("palette-alpha.png", encoded(indexed, "PNG", transparency=bytes([0, 100, 255])))
    icc = chunk(b"iCCP", b"wide\0\0" + zlib.compress(wide_gamut()))
    keep("wide-gamut.png", png(RGB, 8, COLOUR, icc))
    keep("wide-gamut-alpha.png", png(np.dstack([RGB, ALPHA]), 8, COLOUR_ALPHA, icc))
    keep("damaged-profile.png", png(RGB, 8, COLOUR, chunk(b"iCCP", b"wide\0\0nothing")), RGB)
    keep("orientation-6.png", encoded(PICTURE, "PNG", exif=exif(6)))
    frames = [PICTURE.rotate(90 * turn) for turn in range(3)]
    keep("animated.png", encoded(PICTURE, "PNG", save_all=True, append_images=frames, duration=100))
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20 << 20), 9))  # 20 MB of nothing in 20 kB
    keep(
        "text-bomb.png",
        png(np.array([[[0]]]), 8, PALETTE, chunk(b"PLTE", b"\x10\x20\x30"), text),
        np.array([[[16, 32, 48]]]),
    )
    keep("data-bomb.png", png(RGB, 8, COLOUR, surplus=4 << 20), RGB)
    big = chunk(b"iCCP", b"big\0\0" + zlib.compress(bytes(6 << 20), 9))
    keep("profile-bomb.png", png(RGB, 8, COLOUR, big), RGB)
    second = chunk(b"iCCP", b"other\0\0" + zlib.compress(wide_gamut().replace(gamma(2.2), gamma(1.0))))
    keep("two-profiles.png", png(RGB, 8, COLOUR, icc, second), seen(png(RGB, 8, COLOUR, icc)))
    keep("also-a-zip.png", png(RGB, 8, COLOUR) + archive(), RGB)
    comment = chunk(b"tEXt", b"Comment\0<html><script>alert(1)</script>")
    keep("also-html.png", png(RGB, 8, COLOUR, comment), RGB)
    keep("wrong-extension.jpg", png(RGB, 8, COLOUR), RGB)
    keep("30000x1.png", png(LINE, 8, COLOUR), LINE)
    keep("30000x1-interlaced.png", png(LINE, 8, COLOUR, passes=ADAM7), LINE)
    keep("one-pixel.png", png(np.array([[[1, 2, 3]]]), 8, COLOUR), np.array([[[1, 2, 3]]]))
    whole = png(RGB, 8, COLOUR)
    refuse("truncated.png", whole[: len(whole) // 2])
    refuse("no-end.png", whole[:-12])
    refuse(
        "too-little-data.png",
        png(RGB[:9], 8, COLOUR).replace(
            *(chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, h, 8, 2, 0, 0, 0)) for h in (9, 18))
        ),
    )
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    refuse("bit-flipped.png", bytes(flipped))
    refuse("no-width.png", black(0, 9))
    refuse("1x70000.png", black(1, 70000))
    refuse("50-megapixels.png", black(8000, 6250))  # not refused, but too large for the table
    refuse("100-megapixels.png", black(10000, 10000))
    refuse(
        "bomb.png",
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)),
    )


# WebP


def riff(name: bytes, body: bytes) -> bytes:
    body = name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def lossless(*fields: tuple[int, int]) -> bytes:
    """A lossless file of (value, bits), written from the lowest bit on (RFC 9649, section 3)."""
    number, length = 0x2F | (WIDTH - 1) << 8 | (HEIGHT - 1) << 22, 40
    for value, bits in fields:
        number |= value << length
        length += bits
    return riff(b"VP8L", number.to_bytes(-(-length // 8), "little"))


def symbol(value: int) -> tuple[tuple[int, int], ...]:
    """A code of one symbol, of no bits."""
    return (1, 1), (0, 1), (1, 1), (value, 8)


NO, YES = (0, 1), (1, 1)
BLACK = symbol(0) * 5


def uncompressed_alpha(prediction: int) -> bytes:
    """A lossy picture with opacities as they are, or as differences to a prediction (RFC 9649, section 2.7.1.2)."""
    levels = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH))
    left, above, both = np.zeros((3, HEIGHT, WIDTH), int)
    left[:, 1:], above[1:], both[1:, 1:] = levels[:, :-1], levels[:-1], levels[:-1, :-1]
    predicted = (np.zeros_like(levels), left, above, np.clip(left + above - both, 0, 255))[prediction].copy()
    if prediction:
        predicted[0], predicted[:, 0] = left[0], above[:, 0]
    alpha = bytes([prediction << 2]) + (levels - predicted).astype(np.uint8).tobytes()
    lossy = encoded(PICTURE, "WEBP", quality=90)[12:]
    side = [struct.pack("<I", length - 1)[:3] for length in (WIDTH, HEIGHT)]
    chunks = b"VP8X" + struct.pack("<II", 10, 0x10) + b"".join(side)
    chunks += b"ALPH" + struct.pack("<I", len(alpha)) + alpha + bytes(len(alpha) % 2) + lossy
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def webps() -> None:
    see_through = Image.fromarray(np.dstack([RGB, ALPHA]))
    keep("lossy.webp", encoded(PICTURE, "WEBP", quality=90))
    keep("lossy-alpha.webp", encoded(see_through, "WEBP", quality=90))
    for number, prediction in enumerate(("none", "left", "above", "gradient")):
        keep(f"uncompressed-alpha-{prediction}.webp", uncompressed_alpha(number))
    keep("lossless.webp", encoded(PICTURE, "WEBP", lossless=True))
    keep("lossless-alpha.webp", encoded(see_through, "WEBP", lossless=True))
    keep("orientation-8.webp", encoded(PICTURE, "WEBP", lossless=True, exif=exif(8)))
    keep("wide-gamut.webp", encoded(PICTURE, "WEBP", lossless=True, icc_profile=wide_gamut()))
    small = see_through.copy()
    small.paste((0, 0, 0, 0), (0, 0, 8, HEIGHT))  # the encoder crops the first frame to what can be seen
    keep(
        "animated.webp",
        encoded(small, "WEBP", lossless=True, save_all=True, append_images=[see_through], duration=90),
    )
    keep("also-a-zip.webp", encoded(PICTURE, "WEBP", lossless=True) + archive(), RGB)
    row = encoded(Image.fromarray(LINE[:, :16383]), "WEBP", lossless=True)
    keep("16383x1.webp", row, LINE[:, :16383])
    keep("no-bits.webp", lossless(NO, NO, NO, *BLACK))
    keep("one-pixel.webp", encoded(Image.new("RGB", (1, 1), (10, 200, 90)), "WEBP", lossless=True))
    whole = encoded(PICTURE, "WEBP", quality=90)
    refuse("truncated.webp", whole[: len(whole) // 2])
    refuse("lossy-too-little-data.webp", riff(b"VP8 ", whole[20 : len(whole) * 2 // 3]))
    exact = encoded(PICTURE, "WEBP", lossless=True)
    length = int.from_bytes(exact[16:20], "little")
    refuse("lossless-too-little-data.webp", riff(b"VP8L", exact[20 : 20 + length - 4]))
    subtract_green = YES, (2, 2)  # each a pass over the picture
    refuse("many-transforms.webp", lossless(*subtract_green * 1000, NO, NO, NO, *BLACK))
    last_group = *symbol(255) * 2, *symbol(0) * 3  # its green and red: there are 65536 groups of codes
    refuse("many-groups.webp", lossless(NO, NO, YES, (7, 3), NO, *last_group, *BLACK))
    canvas = struct.pack("<I", 16383 - 1)[:3]
    extended = b"VP8X" + struct.pack("<II", 10, 0) + canvas + canvas
    refuse(
        "bomb.webp",
        b"RIFF" + struct.pack("<I", 4 + len(extended) + len(whole) - 12) + b"WEBP" + extended + whole[12:],
    )
    tiny = (
        b"VP8X" + struct.pack("<II", 10, 0) + bytes(6)
    )  # a canvas of one pixel, a frame that says otherwise
    refuse(
        "lying-canvas.webp",
        b"RIFF" + struct.pack("<I", 4 + len(tiny) + len(whole) - 12) + b"WEBP" + tiny + whole[12:],
    )


# Other formats


def others() -> None:
    frames = [PICTURE.rotate(90 * turn) for turn in range(3)]
    refuse("animated.gif", encoded(PICTURE, "GIF", save_all=True, append_images=frames, duration=100))
    refuse("also-javascript.gif", b"GIF89a/*\1\0" + bytes(5) + b"*/=1;alert(1)")
    refuse("picture.bmp", encoded(PICTURE.resize((3, 2)), "BMP"))
    refuse("picture.tiff", encoded(PICTURE.resize((3, 2)), "TIFF"))
    refuse("picture.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    refuse("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    refuse("jpeg-in-a-pdf.jpg", b"%PDF-1.4\n" + encoded(PICTURE, "JPEG"))
    refuse("empty.jpg", b"")


if __name__ == "__main__":
    for old in FOLDER.iterdir():
        if old.suffix != ".py":
            old.unlink()
    jpegs()
    pngs()
    webps()
    others()
    with (FOLDER / "expected.tsv").open("w") as table:
        for name, rgb in sorted(expected_pixels.items()):
            packed = base64.b64encode(zlib.compress(rgb.tobytes(), 9)).decode()
            print(name, rgb.shape[1], rgb.shape[0], packed, sep="\t", file=table)
