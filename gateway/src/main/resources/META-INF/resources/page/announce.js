/** What is said aloud by a screen reader, beside what is shown. */
import { one } from './dom.js';

const place = one(document, '#announcements', HTMLElement);

/** @param {string} text */
export function announce(text) {
  // The same words twice are a change only if they differ.
  place.textContent = place.textContent === text ? `${text}\u00a0` : text;
}
