/** Whether two photos show one person. */
import { make, one } from './dom.js';
import { drawHead } from './faces.js';
import { drawScale, explanation, figure } from './likeness.js';
import { asProblem, inWords } from './problem.js';

/** @typedef {import('./photo-well.js').PhotoWell} PhotoWell */

export class Comparison {
  #place;
  #result;
  #server;
  #wells;
  #asking = new AbortController();

  /**
   * @param {HTMLElement} place
   * @param {import('./server.js').Server} server
   * @param {[PhotoWell, PhotoWell]} wells
   */
  constructor(place, server, wells) {
    this.#place = place;
    this.#result = one(place, '.comparison-result', HTMLElement);
    this.#server = server;
    this.#wells = wells;
  }

  /**
   * Compares anew, after any change of either side.
   *
   * @param {number} threshold
   */
  async update(threshold) {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const [first, second] = this.#wells;
    this.#place.querySelectorAll('canvas').forEach((canvas, i) => {
      drawHead(canvas, this.#wells[i].image, this.#wells[i].face);
    });
    if (!first.isReady || !second.isReady) {
      this.#say('Two photos, one question', make('p', { className: 'hint', textContent: 'Add a photo on each side.' }));
      return;
    }
    this.#say('Comparing …');
    try {
      const { similarity = 0 } = await this.#server.compare(first.identity, second.identity, signal);
      this.#tell(similarity, threshold);
    } catch (error) {
      if (!signal.aborted) {
        this.#fail(asProblem(error), threshold);
      }
    }
  }

  /**
   * @param {number} similarity
   * @param {number} threshold
   */
  #tell(similarity, threshold) {
    const scale = make('div', { className: 'likeness-scale', ariaHidden: 'true' });
    scale.append(make('i', { className: 'likeness-value' }), make('i', { className: 'likeness-threshold' }));
    drawScale(scale, similarity, threshold);
    this.#say(
      similarity >= threshold ? 'The same person' : 'Different people',
      make('p', { textContent: `Similarity ${figure(similarity)}, by the recogniser` }),
      scale,
      make('p', { className: 'hint', textContent: explanation(threshold) }),
    );
  }

  /**
   * @param {import('./problem.js').Problem} problem
   * @param {number} threshold
   */
  #fail(problem, threshold) {
    const { title, advice } = inWords(problem);
    const again = make('button', { type: 'button', className: 'quiet', textContent: 'Try again' });
    again.addEventListener('click', () => {
      this.#place.closest('section')?.focus(); // what was pressed is about to go
      void this.update(threshold);
    });
    this.#say(title, make('p', { textContent: advice }), ...(problem.mayPass ? [again] : []));
  }

  /**
   * @param {string} verdict
   * @param {...Node} more
   */
  #say(verdict, ...more) {
    this.#result.replaceChildren(make('p', { className: 'verdict', textContent: verdict }), ...more);
  }
}
