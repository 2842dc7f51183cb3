/** Draws portraits, one request at a time, and keeps those that were drawn until they are removed. */
import { follow, pauseAfter } from './follow.js';
import { at } from './identity.js';
import { Problem, asProblem } from './problem.js';
import { portraits } from './progress.js';
import { RunView } from './run-view.js';
import { Run } from './run.js';

/**
 * @typedef {object} Wish
 * @property {string} title
 * @property {import('./identity.js').Identity} identity
 * @property {import('./messages.js').GenerateRequest} request
 * @property {(canvas: HTMLCanvasElement) => void} portray draws who it is about
 */

const TITLE = document.title;
const MOST_REPEATS = 4; // of a request without an answer: four seconds of them

/** Sends 'change' when a drawing begins, ends or is removed. */
export class Studio extends EventTarget {
  #server;
  #list;
  #threshold;
  #useSeed;
  /** @type {Set<RunView>} */
  #views = new Set();
  /** @type {{ run: Run, stop: AbortController } | null} */
  #active = null;

  /**
   * @param {import('./server.js').Server} server
   * @param {HTMLElement} list
   * @param {() => number} threshold from which similarity on two faces are one person's
   * @param {(seed: number) => void} useSeed
   */
  constructor(server, list, threshold, useSeed) {
    super();
    this.#server = server;
    this.#list = list;
    this.#threshold = threshold;
    this.#useSeed = useSeed;
  }

  get isBusy() {
    return this.#active !== null;
  }

  get isEmpty() {
    return this.#views.size === 0;
  }

  /** @param {Wish} wish */
  async draw(wish) {
    const run = new Run(newRequestId(), wish.request, wish.identity);
    const stop = new AbortController();
    // The photos may be others by the time that something is drawn from here.
    const portray = (/** @type {HTMLCanvasElement} */ canvas) =>
      canvas.getContext('2d')?.drawImage(view.thumbnail, 0, 0);
    const view = new RunView(run, wish.title, this.#threshold(), {
      cancel: () => this.cancel(),
      again: () => {
        this.#remove(view);
        void this.draw({ ...wish, portray });
      },
      dismiss: () => {
        this.#remove(view);
        this.#list.closest('section')?.focus();
      },
      more: (portrait) =>
        void this.draw({
          title: `${portraits(run.portraits.length)} more like portrait ${portrait.index + 1}`,
          identity: at(wish.identity, portrait.t),
          request: { ...wish.request, seed: undefined },
          portray,
        }),
      useSeed: this.#useSeed,
    });
    this.#active = { run, stop };
    this.#views.add(view);
    this.#list.prepend(view.element);
    wish.portray(view.thumbnail);
    this.#changed();
    view.focus();
    await this.#carryOut(run, stop.signal, () => {
      view.show();
      document.title = run.isOver ? TITLE : `${Math.round(100 * run.progress)} % · ${TITLE}`;
    });
    this.#active = null;
    this.#changed();
  }

  /** Ends what is being drawn, if anything is; on the server, too, even while the page is being left. */
  cancel() {
    if (this.#active) {
      this.#active.stop.abort();
      void this.#forget(this.#active.run);
    }
  }

  /**
   * @param {Run} run
   * @param {AbortSignal} signal
   * @param {() => void} show
   */
  async #carryOut(run, signal, show) {
    performance.mark('asked');
    // A connection may break, on a phone at any time: the generation goes on until somebody cancels it.
    const request = { ...run.request, requestId: run.requestId, onDisconnect: 'ON_DISCONNECT_FINISH' };
    try {
      run.take(await this.#begin(run, request, signal, show));
      show();
      performance.measure('first event', 'asked');
      for await (const event of follow(this.#server, run.requestId, signal)) {
        if (event === 'lost') {
          run.connected = false;
        } else {
          run.take(event);
        }
        show();
      }
      if (!run.isOver) {
        throw new Problem({ reason: 'GENERATION_NOT_FOUND' }); // the stream ended before the generation did
      }
    } catch (error) {
      run.end(signal.aborted ? 'cancelled' : 'failed', signal.aborted ? null : asProblem(error));
    }
    show();
    if (!signal.aborted) {
      void this.#forget(run); // all of it is here: the server need not hold it any longer
    }
  }

  /**
   * Nobody knows whether a request arrived that was not answered: it is sent again, and is the same generation.
   *
   * @param {Run} run
   * @param {import('./messages.js').GenerateRequest} request
   * @param {AbortSignal} signal
   * @param {() => void} show
   * @returns {Promise<import('./messages.js').GenerateResponse>} the first event
   */
  async #begin(run, request, signal, show) {
    for (let failures = 0; ; failures++) {
      try {
        return await this.#server.generate(request, run.identity, signal);
      } catch (error) {
        const answered = !(error instanceof Problem && error.reason === 'UNREACHABLE');
        if (signal.aborted || answered || failures >= MOST_REPEATS) {
          throw error;
        }
      }
      run.connected = false;
      show();
      await pauseAfter(failures, signal);
    }
  }

  /**
   * The server forgets by itself, too, only later. One that cannot be reached is told again, and so is one that has not
   * answered yet, for it may learn of the generation after this; one that has refused it never does.
   *
   * @param {Run} run
   */
  async #forget(run) {
    const known = run.accepted.requestId !== undefined;
    if (!known && run.problem?.status) {
      return;
    }
    for (const pause of [0, 500, 2_000, 8_000]) {
      if (pause > 0) { // the first at once: the page may be about to close
        await new Promise((resolve) => {
          setTimeout(resolve, pause);
        });
      }
      try {
        await this.#server.cancel(run.requestId);
        return;
      } catch (error) {
        if (known && !asProblem(error).mayPass) {
          return;
        }
      }
    }
  }

  /** @param {RunView} view */
  #remove(view) {
    view.remove();
    this.#views.delete(view);
    this.#changed();
  }

  #changed() {
    this.#views.forEach((view) => {
      view.busy = this.isBusy;
    });
    this.dispatchEvent(new Event('change'));
  }
}

/** Nobody else's: 128 random bits. (randomUUID is there on encrypted pages only.) */
function newRequestId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
