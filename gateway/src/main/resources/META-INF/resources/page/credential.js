/** Asks the person for an API key or a token; both are kept by whoever asked, in memory. */
import { one } from './dom.js';

/** @typedef {import('./server.js').Credential} Credential */

const dialog = one(document, '#credential', HTMLDialogElement);
const field = one(dialog, '#key', HTMLInputElement);
const refusal = one(dialog, '.problem', HTMLElement);

/** @type {Promise<Credential | null> | null} */
let pending = null;

/**
 * Several calls that are refused at once ask once.
 *
 * @param {boolean} refused whether the last one given did not count
 * @returns {Promise<Credential | null>} null where the person gives none
 */
export function askCredential(refused) {
  pending ??= ask(refused).finally(() => {
    pending = null;
  });
  return pending;
}

/**
 * @param {boolean} refused
 * @returns {Promise<Credential | null>}
 */
async function ask(refused) {
  refusal.textContent = 'That key or token does not count here. Is it complete, and still valid?';
  refusal.hidden = !refused;
  field.value = '';
  /** @type {Credential | null} */
  let given = null;
  const listeners = new AbortController();
  one(dialog, 'form', HTMLFormElement).addEventListener(
    'submit',
    (event) => {
      event.preventDefault();
      given = credential(field.value.trim());
      if (given) {
        dialog.close();
      } else {
        refusal.hidden = false;
      }
    },
    { signal: listeners.signal },
  );
  one(dialog, '[value=close]', HTMLButtonElement).addEventListener('click', () => dialog.close(), {
    signal: listeners.signal,
  });
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  listeners.abort();
  field.value = '';
  return given;
}

/**
 * A JSON Web Token is a bearer token (three parts, the first one an object in base64); everything else is an API key.
 *
 * @param {string} key
 * @returns {Credential | null}
 */
function credential(key) {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    return null; // no header can carry it
  }
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(key)
    ? { name: 'authorization', value: `Bearer ${key}` }
    : { name: 'x-api-key', value: key };
}
