/** What went wrong, and how to say it to a person. */
import { write } from './dom.js';

/**
 * @typedef {object} ProblemFields
 * @property {string} reason an ErrorReason of the API, or one of the page's own
 * @property {number} [status] of HTTP; 0 where there was no answer
 * @property {string} [detail]
 * @property {Record<string, string>} [metadata]
 * @property {number} [retryAfter] seconds
 */

export class Problem extends Error {
  /** @param {ProblemFields} fields */
  constructor({ reason, status = 0, detail = '', metadata = {}, retryAfter }) {
    super(detail || reason);
    this.reason = reason;
    this.status = status;
    this.detail = detail;
    this.metadata = metadata;
    this.retryAfter = retryAfter;
  }

  /**
   * What an answer that is an error says (RFC 9457), as far as it can be read: a proxy's has no reason.
   *
   * @param {Response} response
   * @returns {Promise<Problem>}
   */
  static async of(response) {
    const body = await response.json().catch(() => ({}));
    const retryAfter = Number(response.headers.get('retry-after') ?? NaN); // a proxy's, too
    return Problem.from({ ...body, status: response.status, retryAfterSeconds: body.retryAfterSeconds ?? retryAfter });
  }

  /**
   * @param {Record<string, unknown>} body
   * @returns {Problem}
   */
  static from({ reason, status, detail, metadata, retryAfterSeconds }) {
    return new Problem({
      reason: typeof reason === 'string' ? reason : 'UNKNOWN',
      status: typeof status === 'number' ? status : 0,
      detail: typeof detail === 'string' ? detail : '',
      metadata: metadata && typeof metadata === 'object' ? /** @type {Record<string, string>} */ (metadata) : {},
      retryAfter: Number.isFinite(retryAfterSeconds) ? Number(retryAfterSeconds) : undefined,
    });
  }

  /** Whether the same again may well do: nobody answered, or a busy or restarting server or a proxy before it did. */
  get mayPass() {
    return this.reason === 'UNREACHABLE' || this.retryAfter !== undefined || [429, 502, 503, 504].includes(this.status);
  }
}

const AGAIN = 'Try again in a moment.';

/** @type {Record<string, (problem: Problem) => [title: string, advice: string]>} */
const WORDS = {
  NO_FACE_DETECTED: () => [
    'No face found in this photo.',
    'Try one in which the face is larger, in good light, and turned to the camera.',
  ],
  FACE_TOO_SMALL: ({ metadata }) => [
    'The face is too small.',
    `It has ${metadata.actual_pixels} pixels across, and ${metadata.threshold_pixels} are needed. ` +
      'Take a larger photo, or one from closer by.',
  ],
  FACE_INDEX_OUT_OF_RANGE: () => ['That face is not in the photo.', 'Pick one of those that are marked.'],
  IMAGE_DECODE_FAILED: () => ['This photo cannot be read.', 'The file seems damaged or cut short. Try another one.'],
  IMAGE_TOO_LARGE: ({ metadata }) => [
    'This photo is too large.',
    metadata.limit ? `At most ${metadata.limit} ${metadata.unit ?? ''} are taken.` : 'Try a smaller one.',
  ],
  UNSUPPORTED_IMAGE_FORMAT: () => ['This is no photo that can be read.', 'JPEG, PNG and WebP can.'],
  QUEUE_FULL: () => ['Everybody is drawing just now.', 'All places are taken.'],
  QUOTA_EXCEEDED: () => ['You have used up what you may use for now.', ''],
  DEADLINE_UNREACHABLE: () => ['The server is too busy to finish this in time.', ''],
  DEADLINE_EXCEEDED: () => ['This took too long and was stopped.', AGAIN],
  MODEL_SERVER_UNAVAILABLE: () => ['The models are not there just now.', 'The server waits for them to come back.'],
  SHUTTING_DOWN: () => ['The server is being restarted.', ''],
  MESSAGE_TOO_LARGE: () => ['This is too much for one request.', 'Try smaller photos.'],
  CLIENT_TOO_SLOW: () => ['The connection is too slow for this.', 'Try a smaller photo, or another connection.'],
  AUTHENTICATION_UNAVAILABLE: () => ['The server cannot check just now who you are.', ''],
  POLICY_UNAVAILABLE: () => ['The server cannot check just now whether this is allowed.', ''],
  UNAUTHENTICATED: () => ['This server asks who you are.', 'An API key or a token lets you in.'],
  PERMISSION_DENIED: ({ metadata }) => [
    'Your key does not allow this.',
    metadata.role ? `It needs the role “${metadata.role}”.` : '',
  ],
  POLICY_REFUSED: ({ detail }) => ['The operator of this server does not allow this.', detail],
  CANCELLED: () => ['This was cancelled.', ''],
  GENERATION_NOT_FOUND: () => ['The server has let go of this.', 'It may have been restarted.'],
  UNREACHABLE: () => ['The server cannot be reached.', 'Is it running, and are you connected?'],
};

/**
 * @param {Problem} problem
 * @returns {{ title: string, advice: string }}
 */
export function inWords(problem) {
  const [title, advice] = (WORDS[problem.reason] ?? unforeseen)(problem);
  const wait = problem.retryAfter === undefined ? '' : `Try again in ${Math.max(1, Math.ceil(problem.retryAfter))} s.`;
  return { title, advice: [advice, wait].filter(Boolean).join(' ') };
}

/**
 * @param {Problem} problem
 * @returns {[string, string]}
 */
function unforeseen({ detail, status }) {
  return ['That did not work.', detail || (status ? `The server answered ${status}.` : AGAIN)];
}

/**
 * Shows a problem in its place, or nothing there.
 *
 * @param {HTMLElement} place has .problem-title and .problem-advice
 * @param {Problem | null} problem
 */
export function showProblem(place, problem) {
  const { title, advice } = problem ? inWords(problem) : { title: '', advice: '' };
  place.hidden = !problem;
  for (const [selector, text] of [['.problem-title', title], ['.problem-advice', advice]]) {
    const line = place.querySelector(selector);
    if (line) {
      write(line, text);
    }
  }
}

/**
 * Whatever was thrown, as a problem; what is none is a defect, and belongs in the console, too.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
export function asProblem(error) {
  if (error instanceof Problem) {
    return error;
  }
  console.error(error);
  return new Problem({ reason: 'UNKNOWN', detail: 'The page made a mistake. Reload it, and try again.' });
}
