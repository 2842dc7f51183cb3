/** How alike two faces are, by the cosine of their embeddings: in words, as a figure, and on a scale. */
import { one, write } from './dom.js';

/**
 * In words, against the cosine from which on the recogniser takes two faces for one person's.
 *
 * @param {number} similarity
 * @param {number} threshold
 * @returns {string}
 */
export function inWords(similarity, threshold) {
  if (similarity >= (1 + threshold) / 2) {
    return 'Very alike';
  }
  if (similarity >= threshold) {
    return 'Same person';
  }
  return similarity >= threshold / 2 ? 'A little alike' : 'Hardly alike';
}

/** @param {number} similarity */
export function figure(similarity) {
  return similarity.toFixed(2).replace('-', '−');
}

/** @param {number} threshold */
export function explanation(threshold) {
  return (
    'Similarity is the cosine of two faces’ identity embeddings. ' +
    `From ${figure(threshold)} on (the mark on the scale), the recogniser takes both for one person.`
  );
}

/**
 * Draws a similarity on a scale from 0 to 1.
 *
 * @param {HTMLElement} scale
 * @param {number} similarity
 * @param {number} threshold
 */
export function drawScale(scale, similarity, threshold) {
  scale.style.setProperty('--likeness', String(Math.min(1, Math.max(0, similarity))));
  scale.style.setProperty('--threshold', String(threshold));
  scale.toggleAttribute('data-same', similarity >= threshold);
}

/**
 * Shows the score of a portrait.
 *
 * @param {HTMLElement} place
 * @param {import('./messages.js').IdentityScore} score
 * @param {number} threshold
 * @returns {string} the same in a sentence
 */
export function showScore(place, { similarity = 0, noFaceFound = false }, threshold) {
  const words = noFaceFound ? 'No face found' : inWords(similarity, threshold);
  const shown = noFaceFound ? '' : figure(similarity);
  write(one(place, '.likeness-words', HTMLElement), words);
  write(one(place, '.likeness-figure', HTMLElement), shown);
  drawScale(one(place, '.likeness-scale', HTMLElement), noFaceFound ? 0 : similarity, threshold);
  return noFaceFound ? words : `${words}, similarity ${shown}`;
}
