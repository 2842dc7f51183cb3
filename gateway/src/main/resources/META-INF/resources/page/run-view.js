/** A generation as it is seen: its head, its bar, its portraits, and what can be done with them. */
import { announce } from './announce.js';
import { make, one, stamp, write } from './dom.js';
import { saveAll } from './download.js';
import { explanation } from './likeness.js';
import { PortraitView } from './portrait-view.js';
import { asProblem, inWords as problemInWords, showProblem } from './problem.js';
import { aloud, inWords, portraits } from './progress.js';

/**
 * @typedef {import('./run.js').Run} Run
 *
 * @typedef {object} RunActions
 * @property {() => void} cancel
 * @property {() => void} again
 * @property {() => void} dismiss
 * @property {(portrait: import('./run.js').Portrait) => void} more
 * @property {(seed: number) => void} useSeed
 */

const SECOND = 1000;

export class RunView {
  element = stamp('run');
  thumbnail = one(this.element, '.thumbnail', HTMLCanvasElement);
  #title = one(this.element, 'h2', HTMLHeadingElement);
  #state = one(this.element, '.run-state', HTMLElement);
  #bar = one(this.element, 'progress', HTMLProgressElement);
  #problem = one(this.element, '.problem', HTMLElement);
  #foot = one(this.element, '.run-foot', HTMLElement);
  #cancel = one(this.element, '.cancel', HTMLButtonElement);
  #again = one(this.element, '.again', HTMLButtonElement);
  #all = one(this.element, '.all', HTMLButtonElement);
  #dismiss = one(this.element, '.dismiss', HTMLButtonElement);
  #run;
  #threshold;
  #portraits;
  #said = '';
  #clock = setInterval(() => this.#tick(), SECOND);

  /**
   * @param {Run} run
   * @param {string} title
   * @param {number} threshold
   * @param {RunActions} actions
   */
  constructor(run, title, threshold, actions) {
    this.#run = run;
    this.#threshold = threshold;
    this.#portraits = run.portraits.map((portrait) => new PortraitView(run, portrait, threshold, actions));
    one(this.element, '.portraits', HTMLElement).append(...this.#portraits.map(({ element }) => element));
    write(this.#title, title);
    this.#bar.setAttribute('aria-label', title);
    this.#cancel.addEventListener('click', actions.cancel);
    this.#again.addEventListener('click', actions.again);
    this.#dismiss.addEventListener('click', actions.dismiss);
    this.#all.addEventListener('click', () => void this.#saveAll());
    this.show();
  }

  show() {
    const { isOver, finishedPortraits, problem, progress } = this.#run;
    this.#bar.value = progress;
    this.#bar.hidden = isOver;
    const pressed = document.activeElement === this.#cancel;
    this.#cancel.hidden = isOver;
    if (pressed && isOver) {
      this.#title.focus({ preventScroll: true }); // what was pressed is gone
    }
    this.#again.hidden = this.#run.phase !== 'failed';
    this.#dismiss.hidden = !isOver;
    this.#all.hidden = !isOver || finishedPortraits.length < (this.#run.completed.receipt ? 1 : 2);
    showProblem(this.#problem, problem);
    this.#portraits.forEach((portrait) => portrait.show());
    // Nothing is left to be seen of portraits that never began.
    const empty = isOver && this.#run.portraits.every(({ preview, picture }) => !preview && !picture);
    one(this.element, '.portraits', HTMLElement).hidden = empty;
    if (isOver && this.#foot.hidden && finishedPortraits.length > 0) {
      this.#foot.hidden = false;
      this.#foot.replaceChildren(...this.#recipe(), make('span', { textContent: explanation(this.#threshold) }));
    }
    if (isOver) {
      clearInterval(this.#clock);
    }
    this.#tick();
    this.#say();
  }

  /** The page leads there when the run begins. */
  focus() {
    this.#title.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: 'nearest' });
  }

  /** @param {boolean} busy */
  set busy(busy) {
    this.#again.disabled = busy;
    this.#portraits.forEach((portrait) => {
      portrait.busy = busy;
    });
  }

  remove() {
    clearInterval(this.#clock);
    this.#portraits.forEach((portrait) => portrait.forget());
    this.element.remove();
  }

  #tick() {
    write(this.#state, inWords(this.#run, performance.now()));
  }

  #say() {
    const words = aloud(this.#run);
    if (words !== this.#said && words) {
      announce(words);
    }
    this.#said = words;
  }

  #recipe() {
    const { steps, guidanceScale, scheduler, variant } = this.#run.accepted;
    const words = [variant, `${steps} steps`, `guidance ${guidanceScale}`, scheduler].filter(Boolean).join(' · ');
    return [make('span', { textContent: `${words}. ` })];
  }

  async #saveAll() {
    try {
      await saveAll(this.#run);
      announce(`${portraits(this.#run.finishedPortraits.length)} saved.`);
    } catch (error) {
      announce(problemInWords(asProblem(error)).title);
    }
  }
}
