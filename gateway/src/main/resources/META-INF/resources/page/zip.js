/** A zip of files that are compressed already: stored as they are (PKWARE's APPNOTE.TXT 6.3, 4.3.7 to 4.3.16). */

/** @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} File */

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const UTF8_NAMES = 0x0800;
const STORED = 0;

/** CRC-32 of each byte by itself (polynomial 0xEDB88320, reflected). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) {
    rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return rest;
});

/**
 * @param {File[]} files fewer than 65 536, together less than 4 GiB
 * @param {Date} date
 * @returns {Blob}
 */
export function zip(files, date) {
  const stamp = dosTime(date);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const locals = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const centrals = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const encoded = new TextEncoder().encode(name);
    const common = fields(
      [2, UTF8_NAMES], [2, STORED], [4, stamp], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length],
      [2, encoded.length], [2, 0],
    );
    locals.push(fields([4, LOCAL_HEADER], [2, VERSION]), common, encoded, bytes);
    centrals.push(
      fields([4, CENTRAL_HEADER], [2, VERSION], [2, VERSION]), common,
      fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), encoded,
    );
    offset += 6 + common.length + encoded.length + bytes.length;
  }
  const size = centrals.reduce((sum, { length }) => sum + length, 0);
  const end = fields(
    [4, END], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0],
  );
  return new Blob([...locals, ...centrals, end], { type: 'application/zip' });
}

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/**
 * Local time, in MS-DOS' form: the date in the upper half, two seconds the unit of the lower one.
 *
 * @param {Date} date
 */
function dosTime(date) {
  const day = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  return ((day << 16) | time) >>> 0;
}

/**
 * Little-endian numbers, one after the other.
 *
 * @param {...[size: number, value: number]} numbers
 */
function fields(...numbers) {
  const bytes = new Uint8Array(numbers.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of numbers) {
    if (size === 2) {
      view.setUint16(at, value, true);
    } else {
      view.setUint32(at, value, true);
    }
    at += size;
  }
  return bytes;
}
