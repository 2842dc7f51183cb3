/** One portrait: its previews, each sharper than the one before, then the picture, and how alike it is. */
import { make, one, stamp, write } from './dom.js';
import { fileName } from './download.js';
import { showScore } from './likeness.js';

/**
 * @typedef {import('./run.js').Run} Run
 * @typedef {import('./run.js').Portrait} Portrait
 *
 * @typedef {object} PortraitActions
 * @property {(portrait: Portrait) => void} more
 * @property {(seed: number) => void} useSeed
 */

const FADE = 300; // milliseconds; what is below is taken away after it

export class PortraitView {
  element = stamp('portrait');
  #picture = one(this.element, '.picture', HTMLElement);
  #seed = one(this.element, '.seed', HTMLButtonElement);
  #share = one(this.element, '.share', HTMLElement);
  #more = one(this.element, '.more', HTMLButtonElement);
  #download = one(this.element, '.download', HTMLAnchorElement);
  #run;
  #portrait;
  #threshold;
  /** @type {Blob | null} */
  #shown = null;

  /**
   * @param {Run} run
   * @param {Portrait} portrait
   * @param {number} threshold
   * @param {PortraitActions} actions
   */
  constructor(run, portrait, threshold, actions) {
    this.#run = run;
    this.#portrait = portrait;
    this.#threshold = threshold;
    this.#more.addEventListener('click', () => actions.more(portrait));
    this.#seed.addEventListener('click', () => actions.useSeed(portrait.seed ?? 0));
    this.element.setAttribute('aria-label', this.#name);
  }

  get #name() {
    return `Portrait ${this.#portrait.index + 1}`;
  }

  show() {
    const { picture, preview, seed, t } = this.#portrait;
    if (picture && this.#more.hidden) {
      this.#finish(picture);
    }
    const latest = picture ?? preview;
    if (latest !== this.#shown && latest !== null) {
      this.#shown = latest;
      void (picture ? this.#lay(latest, this.#download.href, '') : this.#layPreview(latest));
    }
    this.#picture.style.setProperty('--done', String(this.#run.progress));
    this.element.dataset.state = picture ? 'finished' : this.#run.isOver ? 'left' : preview ? 'preview' : 'expected';
    this.#seed.hidden = seed === undefined;
    write(this.#seed, `Seed ${seed}`);
    this.#seed.setAttribute('aria-label', `Seed ${seed}: use it for the next portraits`);
    this.#share.hidden = t === undefined;
    write(this.#share, `${Math.round(100 * (t ?? 0))} %`);
    this.#share.title = 'How far from the first person to the second';
    this.#seed.title = 'Use this seed for the next portraits';
  }

  /**
   * Makes "More like this" wait while something else is drawn.
   *
   * @param {boolean} busy
   */
  set busy(busy) {
    this.#more.disabled = busy;
  }

  /** Lets go of the picture. */
  forget() {
    URL.revokeObjectURL(this.#download.href);
  }

  /** @param {Blob} picture */
  #finish(picture) {
    const { score, t } = this.#portrait;
    const likeness = showScore(this.element, score, this.#threshold);
    const between = t === undefined ? '' : `, ${Math.round(100 * t)} % of the way`;
    this.element.setAttribute('aria-label', `${this.#name}${between}: ${likeness}`);
    this.#more.hidden = false;
    this.#more.setAttribute('aria-label', `More like this: ${this.#name.toLowerCase()}`);
    this.#download.hidden = false;
    this.#download.href = URL.createObjectURL(picture);
    this.#download.download = fileName(this.#run, this.#portrait);
    this.#download.setAttribute('aria-label', `Download ${this.#name.toLowerCase()}`);
    this.#download.title = 'Download';
  }

  /** @param {Blob} preview */
  async #layPreview(preview) {
    const url = URL.createObjectURL(preview);
    await this.#lay(preview, url, 'preview');
    URL.revokeObjectURL(url); // that of the picture stays, for whoever saves what is shown
  }

  /**
   * Lays a picture over the one before, once it can be drawn: nothing flickers.
   *
   * @param {Blob} blob
   * @param {string} url its address
   * @param {string} className
   */
  async #lay(blob, url, className) {
    const image = make('img', { className, src: url, alt: className ? '' : this.#name });
    await image.decode().catch(() => undefined);
    if (blob !== this.#shown) {
      return; // a later one was quicker
    }
    const before = [...this.#picture.children];
    this.#picture.append(image);
    setTimeout(() => before.forEach((layer) => layer.remove()), FADE);
  }
}
