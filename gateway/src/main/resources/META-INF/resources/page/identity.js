/** Who is to be portrayed: photos, and which face of each. */

/**
 * @typedef {import('./messages.js').IdentitySource} IdentitySource
 *
 * @typedef {object} Identity
 * @property {IdentitySource} source
 * @property {Record<string, Blob>} photos the bytes fields that `source` leaves out, by their path in it
 */

/**
 * @param {Blob} photo
 * @param {number | undefined} faceIndex the largest face where it is undefined
 * @returns {Identity}
 */
export function person(photo, faceIndex) {
  return { source: faceIndex === undefined ? {} : { faceIndex }, photos: { photo } };
}

/**
 * Somebody between two.
 *
 * @param {Identity} first
 * @param {Identity} second
 * @param {number[]} t one for all portraits, or one for each
 * @returns {Identity}
 */
export function mixture(first, second, t) {
  return {
    source: { interpolation: { first: first.source, second: second.source, t } },
    photos: {
      'interpolation.first.photo': first.photos.photo,
      'interpolation.second.photo': second.photos.photo,
    },
  };
}

/**
 * The same person as one portrait shows; of a mixture the point that it lies at.
 *
 * @param {Identity} identity
 * @param {number | undefined} t
 * @returns {Identity}
 */
export function at(identity, t) {
  const { interpolation } = identity.source;
  return interpolation && t !== undefined
    ? { ...identity, source: { interpolation: { ...interpolation, t: [t] } } }
    : identity;
}

/**
 * As many points as there are portraits, from the first end to the second.
 *
 * @param {number} count
 * @returns {number[]}
 */
export function walk(count) {
  return count === 1 ? [0.5] : Array.from({ length: count }, (_, i) => i / (count - 1));
}
