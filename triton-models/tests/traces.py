"""Traces of secrets in what was written, in whatever way bytes and numbers are written down."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

WINDOW = 8  # so many bytes of a secret in a row are a trace of it
LEAST_DISTINCT = 6  # of a window's bytes; others are nobody's secret
NEIGHBOURS = 4  # so many numbers of a secret in a row
DECIMALS = 4  # that a number has at least, to count

NUMBER = re.compile(rb"(-?\d+)\.(\d{%d,})(?:[eE]([-+]?\d+))?" % DECIMALS)
PAIRS = re.compile(rb"(?:(?:0x)?[0-9A-Fa-f]{2}[ :,-]{0,2}){%d,}" % WINDOW)
ODD_HEX = re.compile(rb"[0-9A-Fa-f]{%d,}" % (2 * WINDOW + 1))
DECIMAL = re.compile(rb"(?:-?\d{1,3}(?:, ?| )){%d,}-?\d{1,3}" % (WINDOW - 1))
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % (4 * WINDOW // 3 + 1))
ESCAPED = re.compile(rb"\\(?:([0-7]{3})|x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|([abfnrtv\\'\"?]))")
ESCAPES = dict(zip(b"abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))


def _hex(data: bytes) -> Iterable[bytes]:
    for run in PAIRS.findall(data):
        yield bytes.fromhex(re.sub(rb"0x|[ :,-]", b"", run).decode())
    for run in ODD_HEX.findall(data):  # a pair may begin at its second digit
        yield bytes.fromhex(run[1 : 1 + (len(run) - 1) // 2 * 2].decode())


def _decimal(data: bytes) -> Iterable[bytes]:
    """As Java prints a byte[], or Python a list."""
    for run in DECIMAL.findall(data):
        yield bytes(int(number) & 255 for number in re.findall(rb"-?\d+", run))


def _base64(data: bytes) -> Iterable[bytes]:
    for run in BASE64.findall(data):
        text = run.translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):
            part = text[start:]
            yield base64.b64decode(part[: len(part) // 4 * 4])


def _unescaped(data: bytes) -> Iterable[bytes]:
    """As protobuf's text format, Python and JSON write them."""

    def byte(found: re.Match[bytes]) -> bytes:
        octal, x, u, single = found.groups()
        if octal:
            return bytes([int(octal, 8) & 255])
        return bytes.fromhex((x or u).decode()) if x or u else bytes([ESCAPES[single[0]]])

    yield ESCAPED.sub(byte, data)


def _latin(data: bytes) -> Iterable[bytes]:
    """Where each byte was taken for a letter."""
    yield data.decode("utf-8", "replace").encode("latin-1", "replace")


DECODERS: Mapping[str, Callable[[bytes], Iterable[bytes]]] = {
    "raw": lambda data: [data],
    "hex": _hex,
    "decimal bytes": _decimal,
    "base64": _base64,
    "escaped": _unescaped,
    "latin-1": _latin,
}


class Secrets:
    """What must not be found: bytes, and vectors as bytes of any kind of float or as decimal numbers."""

    def __init__(self, contents: Mapping[str, bytes], vectors: Mapping[str, Sequence[float]]) -> None:
        self.vectors = {name: np.asarray(vector, np.float64) for name, vector in vectors.items()}
        self.windows = {
            name: np.unique(_telling(_windows(content)))
            for name, content in [
                *contents.items(),
                *(
                    (f"{name} as {kind}", vector.astype(kind).tobytes())
                    for name, vector in self.vectors.items()
                    for kind in ("<f4", ">f4", "<f8", ">f8")
                ),
            ]
        }

    def traces_in(self, data: bytes) -> list[str]:
        """What was found, and how it was written."""
        found = []
        for how, decode in DECODERS.items():
            windows = np.sort(_windows(bytes(WINDOW).join(decode(data))))
            found += [f"{name}, {how}" for name, secret in self.windows.items() if _overlap(secret, windows)]
        numbers, tolerances = _numbers(data)
        for name, vector in self.vectors.items():
            if _has_neighbours(vector, numbers, tolerances):
                found.append(f"{name}, decimal")
        return found


def _windows(data: bytes) -> np.ndarray:
    """Every WINDOW bytes in a row, as one number each, [N] uint64."""
    return np.concatenate(
        [
            np.frombuffer(data, "<u8", (len(data) - start) // WINDOW, start)
            for start in range(WINDOW)
            if len(data) >= start + WINDOW
        ]
        or [np.empty(0, "<u8")]
    )


def _telling(windows: np.ndarray) -> np.ndarray:
    """Without those that could be anything: padding, flat colours."""
    ordered = np.sort(windows.view(np.uint8).reshape(-1, WINDOW), axis=1)
    distinct = 1 + (np.diff(ordered.astype(np.int16), axis=1) > 0).sum(axis=1)
    return windows[distinct >= LEAST_DISTINCT]


def _overlap(some: np.ndarray, ordered: np.ndarray) -> bool:
    places = np.searchsorted(ordered, some)
    places, some = places[places < len(ordered)], some[places < len(ordered)]
    return bool((ordered[places] == some).any())


def _numbers(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """All numbers with several decimals, in order, and how exact each is."""
    numbers, tolerances = [], []
    for whole, decimals, exponent in NUMBER.findall(data):
        scale = 10.0 ** int(exponent or 0)
        numbers.append(float(whole + b"." + decimals) * scale)
        tolerances.append(1.01 * scale * 10.0 ** -len(decimals))
    return np.array(numbers), np.array(tolerances)


def _has_neighbours(vector: np.ndarray, numbers: np.ndarray, tolerances: np.ndarray) -> bool:
    count = len(numbers) - NEIGHBOURS + 1
    for first in range(len(vector) - NEIGHBOURS + 1) if count > 0 else ():
        near = np.ones(count, bool)
        for i in range(NEIGHBOURS):
            # a float of 4 bytes, printed with all digits of one of 8, is as exact as it was
            exact = tolerances[i : i + count] + 1e-7 * abs(vector[first + i])
            near &= abs(numbers[i : i + count] - vector[first + i]) <= exact
        if near.any():
            return True
    return False
