/** The events of a generation to their end, over as many connections as it takes. */
import { readEvents } from './event-stream.js';
import { Problem } from './problem.js';

/** @typedef {import('./messages.js').GenerateResponse} GenerateResponse */

const SILENCE = 45_000; // three of the server's heartbeats
const MOST_FAILURES = 8; // one after the other, a minute of them
const LONGEST_PAUSE = 15_000;

/**
 * Yields each event, and 'lost' where the connection broke and is being made again. It fails as the generation does.
 *
 * @param {import('./server.js').Server} server
 * @param {string} requestId
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<GenerateResponse | 'lost', void, void>}
 */
export async function* follow(server, requestId, signal) {
  let lastEventId = '';
  for (let failures = 0; ; failures++) {
    try {
      const response = await server.events(requestId, lastEventId, signal);
      if (response.status === 204 || !response.body) {
        return;
      }
      for await (const event of readEvents(response.body, SILENCE)) {
        failures = 0;
        lastEventId = event.lastEventId;
        if (event.type === 'error') {
          throw new Failed(Problem.from(JSON.parse(event.data)));
        }
        const message = /** @type {GenerateResponse} */ (JSON.parse(event.data));
        yield message;
        if (message.completed) {
          return;
        }
      }
    } catch (error) {
      if (error instanceof Failed) {
        throw error.problem;
      }
      if (signal.aborted || !isPassing(error) || failures >= MOST_FAILURES) {
        throw error;
      }
    }
    yield 'lost';
    await pauseAfter(failures, signal);
  }
}

/** The generation's own end, whatever its status: no other connection changes it. */
class Failed extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/**
 * Whether it is the connection that failed. A stream that breaks is a TypeError in all browsers.
 *
 * @param {unknown} error
 */
function isPassing(error) {
  return error instanceof TypeError || (error instanceof Problem && error.mayPass);
}

/**
 * Waits before the next try, the longer the more have failed.
 *
 * @param {number} failures before the latest, one after the other
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function pauseAfter(failures, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(LONGEST_PAUSE, 250 * 2 ** failures));
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
