/** The faces of a photo: which one is meant, and how they are marked on it. */
import { make } from './dom.js';

/** @typedef {import('./messages.js').Face} Face */

const AROUND = 1.7; // a thumbnail shows the head, not the box alone

/** @param {Face} face */
export function edges({ left = 0, top = 0, right = 0, bottom = 0 }) {
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * Whether the server takes the face: the shorter side of its box.
 *
 * @param {Face} face
 * @param {number} minFacePixels
 */
export function isLargeEnough(face, minFacePixels) {
  const { width, height } = edges(face);
  return Math.min(width, height) >= minFacePixels;
}

/**
 * The face that the server picks where nobody says: the largest box, of equals the surer one, which is first.
 *
 * @param {Face[]} faces by descending score
 * @returns {Face | undefined}
 */
export function largest(faces) {
  const area = (/** @type {Face} */ face) => edges(face).width * edges(face).height;
  return [...faces].sort((one, other) => area(other) - area(one))[0]; // equals stay in their order
}

/**
 * A choice of one face, drawn over the photo in shares of its size.
 *
 * @param {string} group name of the radio buttons, one for each photo
 * @param {Face} face
 * @param {number} number from 1
 * @param {number} count
 * @param {{ width: number, height: number }} photo
 * @param {boolean} usable
 * @returns {HTMLLabelElement}
 */
export function faceMark(group, face, number, count, photo, usable) {
  const name = count === 1 ? 'The face' : `Face ${number} of ${count}`;
  const choice = make('input', { type: 'radio', name: group, value: String(face.index ?? 0), disabled: !usable });
  choice.setAttribute('aria-label', usable ? name : `${name}, too small`);
  const mark = make('label', { className: 'face', title: usable ? name : `${name}: too small` }, choice, make('span'));
  const { left, top, width, height } = edges(face);
  const share = (/** @type {number} */ part, /** @type {number} */ whole) => `${(100 * part) / whole}%`;
  mark.style.left = share(left, photo.width);
  mark.style.top = share(top, photo.height);
  mark.style.width = share(width, photo.width);
  mark.style.height = share(height, photo.height);
  return mark;
}

/**
 * Draws the head around a face, or the middle of the photo where no face is known.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement | null} image
 * @param {Face | undefined} face
 */
export function drawHead(canvas, image, face) {
  const context = canvas.getContext('2d');
  context?.clearRect(0, 0, canvas.width, canvas.height);
  if (!context || !image?.naturalWidth) {
    return;
  }
  const box = face ? edges(face) : { left: 0, top: 0, width: image.naturalWidth, height: image.naturalHeight };
  const whole = Math.min(image.naturalWidth, image.naturalHeight);
  const side = Math.min(whole, face ? AROUND * Math.max(box.width, box.height) : whole);
  const within = (/** @type {number} */ middle, /** @type {number} */ length) =>
    Math.min(length - side, Math.max(0, middle - side / 2));
  context.drawImage(
    image,
    within(box.left + box.width / 2, image.naturalWidth),
    within(box.top + box.height / 2, image.naturalHeight),
    side,
    side,
    0,
    0,
    canvas.width,
    canvas.height,
  );
}
