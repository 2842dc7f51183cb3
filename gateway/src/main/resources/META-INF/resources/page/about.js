/** What serves this page, in the foot of it. */
import { make, one } from './dom.js';

/**
 * @param {HTMLDetailsElement} place
 * @param {import('./messages.js').ModelInfo} info
 */
export function showAbout(place, { profile, imageWidth, imageHeight, gatewayVersion, modelServer, licenceNotes = [] }) {
  const facts = [
    ['Profile', profile],
    ['Portraits', `${imageWidth} × ${imageHeight} pixels`],
    ['Gateway', gatewayVersion],
    ['Model server', modelServer],
  ];
  one(place, 'dl', HTMLElement).replaceChildren(
    ...facts.flatMap(([term, fact = '']) => [make('dt', { textContent: term }), make('dd', { textContent: fact })]),
  );
  one(place, 'ul', HTMLElement).replaceChildren(...licenceNotes.map((note) => make('li', { textContent: note })));
  place.hidden = false;
}
