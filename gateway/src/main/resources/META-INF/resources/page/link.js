/** Settings in the fragment of the page's address, which browsers send to nobody. The photo is never in it. */

const KNOWN = [
  'mode', 'numImages', 'variant', 'steps', 'guidanceScale', 'scheduler', 'outputFormat', 'seed', 't', 'walk',
];

/** @typedef {Record<string, string>} Linked settings by the names of their controls */

/**
 * @param {Linked} settings
 * @returns {string}
 */
export function toFragment(settings) {
  return new URLSearchParams(KNOWN.filter((name) => settings[name]).map((name) => [name, settings[name]])).toString();
}

/**
 * What a fragment sets; whoever applies it checks the values, for anybody can write a link.
 *
 * @param {string} fragment with or without its #
 * @returns {Linked}
 */
export function fromFragment(fragment) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  return Object.fromEntries(KNOWN.flatMap((name) => {
    const value = parameters.get(name);
    return value === null ? [] : [[name, value]];
  }));
}
