/** Where between two people the portraits are. */
import { one } from './dom.js';
import { drawHead } from './faces.js';
import { mixture, walk } from './identity.js';

/**
 * @typedef {import('./photo-well.js').PhotoWell} PhotoWell
 * @typedef {import('./link.js').Linked} Linked
 */

const MIDDLE = 50;

export class Mixture {
  #place;
  #slider;
  #walk;
  #wells;

  /**
   * @param {HTMLElement} place
   * @param {[PhotoWell, PhotoWell]} wells
   */
  constructor(place, wells) {
    this.#place = place;
    this.#wells = wells;
    this.#slider = one(place, '#t', HTMLInputElement);
    this.#walk = one(place, '[name=walk]', HTMLInputElement);
    this.#slider.addEventListener('input', () => this.#say());
    this.#walk.addEventListener('change', () => this.#say());
    this.#say();
  }

  /** Shows the two faces at the ends of the slider. */
  show() {
    this.#ends.forEach((canvas, i) => drawHead(canvas, this.#wells[i].image, this.#wells[i].face));
  }

  /** @param {number} count */
  identity(count) {
    const t = this.#walk.checked ? walk(count) : [this.#slider.valueAsNumber / 100];
    return mixture(this.#wells[0].identity, this.#wells[1].identity, t);
  }

  /** @param {Linked} linked */
  apply(linked) {
    const t = Number(linked.t ?? NaN);
    this.#slider.value = String(Number.isFinite(t) ? t * 100 : MIDDLE);
    this.#walk.checked = linked.walk === '1';
    this.#say();
  }

  /** @returns {Linked} */
  get linked() {
    if (this.#walk.checked) {
      return { walk: '1' };
    }
    const t = this.#slider.valueAsNumber;
    return t === MIDDLE ? {} : { t: String(t / 100) };
  }

  get #ends() {
    return [...this.#place.querySelectorAll('canvas')];
  }

  #say() {
    this.#slider.disabled = this.#walk.checked;
    const t = this.#slider.valueAsNumber;
    this.#slider.setAttribute('aria-valuetext', `${100 - t} % of the first, ${t} % of the second`);
  }
}
