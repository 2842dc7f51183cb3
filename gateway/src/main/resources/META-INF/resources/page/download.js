/** Pictures as files. */
import { make } from './dom.js';
import { zip } from './zip.js';

/** @typedef {import('./run.js').Run} Run */

/**
 * @param {Run} run
 * @param {import('./run.js').Portrait} portrait
 */
export function fileName(run, { index, seed }) {
  return `portrait-${index + 1}-seed-${seed}.${run.suffix}`;
}

/**
 * All pictures of a run in one zip, with the receipt that came with them.
 *
 * @param {Run} run
 */
export async function saveAll(run) {
  const files = await Promise.all(
    run.finishedPortraits.map(async (portrait) => ({
      name: fileName(run, portrait),
      bytes: new Uint8Array(await /** @type {Blob} */ (portrait.picture).arrayBuffer()),
    })),
  );
  if (run.completed.receipt) {
    files.push({ name: 'receipt.json', bytes: json(run.completed.receipt) });
  }
  const url = URL.createObjectURL(zip(files, new Date()));
  make('a', { href: url, download: `portraits-${run.requestId.slice(0, 8)}.zip` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it in its own time
}

/** @param {object} value */
function json(value) {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
