/** A generation as the page knows it: what its events have told so far. */
import { bytes, seconds } from './messages.js';

/**
 * @typedef {import('./messages.js').GenerateResponse} GenerateResponse
 * @typedef {import('./messages.js').GenerateRequest} GenerateRequest
 * @typedef {import('./identity.js').Identity} Identity
 *
 * @typedef {object} Portrait
 * @property {number} index
 * @property {number | undefined} seed
 * @property {number | undefined} t
 * @property {Blob | null} preview the latest
 * @property {Blob | null} picture the finished one
 * @property {import('./messages.js').IdentityScore} score
 *
 * @typedef {'sending' | 'waiting' | 'drawing' | 'finished' | 'cancelled' | 'failed'} Phase
 */

/** @type {Record<string, { type: string, suffix: string }>} */
const FORMATS = {
  IMAGE_FORMAT_PNG: { type: 'image/png', suffix: 'png' },
  IMAGE_FORMAT_JPEG: { type: 'image/jpeg', suffix: 'jpg' },
  IMAGE_FORMAT_WEBP: { type: 'image/webp', suffix: 'webp' },
};
const STEPS_SHARE = 0.94; // of the bar; the rest is for turning latents into pictures

export class Run {
  /** @type {Phase} */
  phase = 'sending';
  connected = true;
  progress = 0; // 0 to 1, never falling
  step = 0;
  totalSteps = 0;
  /** @type {number | undefined} */
  place;
  /** @type {number | undefined} */
  secondsLeft; // as of `told`
  told = 0; // performance.now() of the latest news
  /** @type {import('./messages.js').Accepted} */
  accepted = {};
  /** @type {import('./messages.js').Completed} */
  completed = {};
  /** @type {import('./problem.js').Problem | null} */
  problem = null;
  /** @type {Portrait[]} */
  portraits;

  /**
   * @param {string} requestId
   * @param {GenerateRequest} request
   * @param {Identity} identity
   */
  constructor(requestId, request, identity) {
    this.requestId = requestId;
    this.request = request;
    this.identity = identity;
    this.portraits = Array.from({ length: request.numImages ?? 1 }, (_, index) => ({
      index,
      seed: undefined,
      t: undefined,
      preview: null,
      picture: null,
      score: {},
    }));
  }

  get isOver() {
    return this.phase === 'finished' || this.phase === 'cancelled' || this.phase === 'failed';
  }

  get finishedPortraits() {
    return this.portraits.filter(({ picture }) => picture !== null);
  }

  get suffix() {
    return format(this.request.outputFormat).suffix;
  }

  /**
   * Takes an event; one that came before does no harm.
   *
   * @param {GenerateResponse} event
   */
  take({ accepted, queued, faceReport, stepProgress, preview, image, completed }) {
    this.told = performance.now();
    this.connected = true;
    if (accepted) {
      this.accepted = accepted;
      this.portraits.forEach((portrait, i) => {
        portrait.seed ??= accepted.seeds?.[i];
        portrait.t ??= accepted.t?.[i] ?? accepted.t?.[0];
      });
      this.#enter('drawing');
    } else if (queued) {
      this.place = queued.position ?? 0;
      this.secondsLeft = seconds(queued.expectedWait);
      this.#enter('waiting');
    } else if (faceReport) {
      this.#enter('drawing');
    } else if (stepProgress) {
      this.step = stepProgress.step ?? 0;
      this.totalSteps = stepProgress.totalSteps ?? 0;
      this.secondsLeft = seconds(stepProgress.expectedRemaining);
      this.#enter('drawing');
    } else if (preview) {
      const portrait = this.portraits[preview.imageIndex ?? 0];
      portrait.preview = new Blob([bytes(preview.jpeg ?? '')], { type: 'image/jpeg' });
    } else if (image) {
      const portrait = this.portraits[image.imageIndex ?? 0];
      portrait.picture = new Blob([bytes(image.data ?? '')], { type: format(image.format).type });
      portrait.seed = image.seed ?? 0;
      portrait.t = image.t ?? portrait.t;
      portrait.score = image.identityScore ?? {};
    } else if (completed) {
      this.completed = completed;
      this.phase = 'finished';
    }
    this.#advance();
  }

  /**
   * @param {'cancelled' | 'failed'} phase
   * @param {import('./problem.js').Problem | null} problem
   */
  end(phase, problem) {
    this.phase = phase;
    this.problem = problem;
    this.connected = true;
  }

  /** @param {Phase} phase */
  #enter(phase) {
    if (phase !== this.phase) {
      this.secondsLeft = phase === 'drawing' && this.step === 0 ? undefined : this.secondsLeft;
      this.phase = phase;
    }
  }

  #advance() {
    const steps = this.totalSteps > 0 ? this.step / this.totalSteps : 0;
    const pictures = this.finishedPortraits.length / this.portraits.length;
    const now = this.phase === 'finished' ? 1 : STEPS_SHARE * steps + (1 - STEPS_SHARE) * pictures;
    this.progress = Math.max(this.progress, now);
  }
}

/** @param {string | undefined} name */
function format(name) {
  return FORMATS[name ?? ''] ?? FORMATS.IMAGE_FORMAT_PNG;
}
