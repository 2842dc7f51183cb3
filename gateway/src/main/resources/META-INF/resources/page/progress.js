/** How far a generation is, in words. */
import { seconds } from './messages.js';

/** @typedef {import('./run.js').Run} Run */

/**
 * @param {number} count
 * @returns {string}
 */
export function portraits(count) {
  return count === 1 ? 'One portrait' : `${count} portraits`;
}

/**
 * What is shown, from one second to the next.
 *
 * @param {Run} run
 * @param {number} now performance.now()
 * @returns {string}
 */
export function inWords(run, now) {
  if (!run.connected && !run.isOver) {
    return 'The connection broke. Trying again …';
  }
  switch (run.phase) {
    case 'sending':
      return 'Sending …';
    case 'waiting':
      return join(`Place ${run.place} in the queue`, left(run, now, 'to wait'));
    case 'drawing':
      return run.step === 0 ? 'Starting …' : join(`Step ${run.step} of ${run.totalSteps}`, left(run, now, 'left'));
    case 'finished':
      return join('Finished', elapsed(run));
    case 'cancelled':
      return join('Cancelled', run.step > 0 ? `after ${run.step} of ${run.totalSteps} steps` : '');
    case 'failed':
      return 'Not finished';
  }
}

/**
 * What is worth saying aloud: less than what is shown.
 *
 * @param {Run} run
 * @returns {string}
 */
export function aloud(run) {
  switch (run.phase) {
    case 'waiting':
      return `Place ${run.place} in the queue.`;
    case 'drawing': {
      const quarters = run.step === 0 ? 0 : Math.floor((4 * run.step) / run.totalSteps);
      return quarters === 0 ? 'Drawing.' : `${25 * quarters} percent drawn.`;
    }
    case 'finished':
      return `${portraits(run.finishedPortraits.length)} finished.`;
    case 'cancelled':
      return 'Cancelled.';
    default:
      return '';
  }
}

/**
 * @param {Run} run
 * @param {number} now
 * @param {string} of
 */
function left(run, now, of) {
  if (run.secondsLeft === undefined) {
    return '';
  }
  const rest = run.secondsLeft - (now - run.told) / 1000;
  return rest < 1 ? 'almost there' : `about ${duration(rest)} ${of}`;
}

/** @param {Run} run */
function elapsed(run) {
  const took = seconds(run.completed.elapsed);
  return took === undefined ? '' : `in ${took < 10 ? `${took.toFixed(1)} s` : duration(took)}`;
}

/** @param {number} total seconds */
function duration(total) {
  const whole = Math.round(total);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** @param {...string} parts */
function join(...parts) {
  return parts.filter(Boolean).join(parts[1]?.startsWith('in ') || parts[1]?.startsWith('after ') ? ' ' : ', ');
}
