/** A file as a photo that the server takes. */
import { Problem } from './problem.js';

/**
 * @typedef {object} Photo
 * @property {Blob} blob what is sent
 * @property {string} url what is shown; whoever lets go of the photo revokes it
 * @property {number} width of the upright photo
 * @property {number} height
 */

const TAKEN = new Set(['image/jpeg', 'image/png', 'image/webp']);
const QUALITY = 0.93;
const MOST_BYTES = 8 << 20; // two of them go into one request
const MOST_PIXELS = 4096 * 4096; // of one that is drawn anew: more than every canvas can hold is no gain

/**
 * The file as it is, if the server takes that: the same bytes give the same portraits as from anywhere else. What is of
 * another kind (HEIC, AVIF) or too large, for itself or beside another one, is drawn anew as a JPEG.
 *
 * @param {Blob} file
 * @param {import('./messages.js').Limits} limits
 * @returns {Promise<Photo>}
 */
export async function readPhoto(file, limits) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Problem({ reason: TAKEN.has(file.type) ? 'IMAGE_DECODE_FAILED' : 'UNSUPPORTED_IMAGE_FORMAT' });
  });
  try {
    const pixels = bitmap.width * bitmap.height;
    const maxBytes = Math.min(limits.maxPhotoBytes ?? Infinity, MOST_BYTES);
    const maxPixels = limits.maxPhotoPixels ?? Infinity;
    if (TAKEN.has(file.type) && file.size <= maxBytes && pixels <= maxPixels) {
      return { blob: file, url: URL.createObjectURL(file), width: bitmap.width, height: bitmap.height };
    }
    return await drawnAnew(bitmap, maxBytes, Math.min(maxPixels, MOST_PIXELS));
  } finally {
    bitmap.close();
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} maxBytes
 * @param {number} maxPixels
 * @returns {Promise<Photo>}
 */
async function drawnAnew(bitmap, maxBytes, maxPixels) {
  let scale = Math.min(1, Math.sqrt(maxPixels / (bitmap.width * bitmap.height)));
  for (;;) {
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.floor(bitmap.width * scale));
    canvas.height = Math.max(1, Math.floor(bitmap.height * scale));
    const context = canvas.getContext('2d');
    if (context) {
      context.fillStyle = '#fff'; // what is transparent, as the server does
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    }
    const blob = await jpeg(canvas);
    if (blob.size <= maxBytes || canvas.width * canvas.height === 1) {
      return { blob, url: URL.createObjectURL(blob), width: canvas.width, height: canvas.height };
    }
    scale *= 0.7;
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<Blob>}
 */
export function jpeg(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Problem({ reason: 'IMAGE_TOO_LARGE' }))),
      'image/jpeg',
      QUALITY,
    );
  });
}
