/** The REST interface of the gateway (docs/rest.md); its messages are protobuf JSON, its errors problems. */
import { Problem } from './problem.js';

/**
 * @typedef {import('./messages.js').GenerateRequest} GenerateRequest
 * @typedef {import('./messages.js').GenerateResponse} GenerateResponse
 * @typedef {import('./identity.js').Identity} Identity
 * @typedef {{ name: string, value: string }} Credential a header
 */

export class Server {
  /** @type {Credential | null} */
  #credential = null;
  #ask;
  #base;

  /**
   * @param {string} base where the page is: the interface is beside it, behind whatever prefix a proxy has
   * @param {(refused: boolean) => Promise<Credential | null>} ask asks the person for a credential, or for another one
   */
  constructor(base, ask) {
    this.#base = base;
    this.#ask = ask;
  }

  /** @returns {Promise<import('./messages.js').ModelInfo>} */
  model() {
    return this.#json('v1/model', {});
  }

  /**
   * @param {Blob} photo
   * @param {AbortSignal} signal
   * @returns {Promise<import('./messages.js').DetectFacesResponse>}
   */
  detect(photo, signal) {
    return this.#json('v1/faces:detect', { method: 'POST', body: form({}, { photo }), signal });
  }

  /**
   * @param {Identity} first
   * @param {Identity} second
   * @param {AbortSignal} signal
   * @returns {Promise<import('./messages.js').CompareFacesResponse>}
   */
  compare(first, second, signal) {
    return this.#json('v1/faces:compare', { method: 'POST', body: withIdentities({}, { first, second }), signal });
  }

  /**
   * Starts a generation, and returns its first event.
   *
   * @param {GenerateRequest} request
   * @param {Identity} identity
   * @param {AbortSignal} signal
   * @returns {Promise<GenerateResponse>}
   */
  generate(request, identity, signal) {
    return this.#json('v1/generations', { method: 'POST', body: withIdentities(request, { identity }), signal });
  }

  /**
   * The stream of a generation's events after one that was seen ('' for all); 204 where all of them were.
   *
   * @param {string} requestId
   * @param {string} lastEventId
   * @param {AbortSignal} signal
   * @returns {Promise<Response>}
   */
  events(requestId, lastEventId, signal) {
    const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) };
    return this.#answer(`v1/generations/${requestId}/events`, { headers, signal });
  }

  /**
   * Ends a generation or, where it has ended, makes the server forget it; even while the page is being left. Nobody is
   * asked for a credential on the way: this is the page's own housekeeping.
   *
   * @param {string} requestId
   */
  async cancel(requestId) {
    const options = { method: 'DELETE', keepalive: true };
    const response = await this.#send(`v1/generations/${requestId}`, options, this.#credential);
    if (!response.ok) {
      throw await Problem.of(response);
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   */
  async #json(path, options) {
    const response = await this.#answer(path, options);
    try {
      return await response.json();
    } catch (error) {
      throw unreachable(error);
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   * @returns {Promise<Response>} one that is no error
   */
  async #answer(path, options) {
    for (;;) {
      const used = this.#credential;
      const response = await this.#send(path, options, used);
      if (response.ok) {
        return response;
      }
      const problem = await Problem.of(response);
      if (response.status !== 401) {
        throw problem;
      }
      if (this.#credential !== used) {
        continue; // another call has asked meanwhile
      }
      const given = await this.#ask(used !== null);
      if (given === null) {
        throw problem;
      }
      this.#credential = given;
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   * @param {Credential | null} credential
   */
  async #send(path, options, credential) {
    const headers = new Headers(options.headers);
    if (credential) {
      headers.set(credential.name, credential.value);
    }
    try {
      return await fetch(new URL(path, this.#base), { cache: 'no-store', ...options, headers });
    } catch (error) {
      throw unreachable(error);
    }
  }
}

/**
 * What fetch threw: a break-off of ours stays what it is.
 *
 * @param {unknown} error
 * @returns {unknown}
 */
function unreachable(error) {
  return error instanceof DOMException && error.name === 'AbortError' ? error : new Problem({ reason: 'UNREACHABLE' });
}

/**
 * A request with identities in it, whose photos are parts of their own, named by their place.
 *
 * @param {object} request
 * @param {Record<string, Identity>} identities by field
 * @returns {FormData}
 */
function withIdentities(request, identities) {
  /** @type {Record<string, unknown>} */
  const whole = { ...request };
  /** @type {Record<string, Blob>} */
  const photos = {};
  for (const [field, identity] of Object.entries(identities)) {
    whole[field] = identity.source;
    for (const [path, photo] of Object.entries(identity.photos)) {
      photos[`${field}.${path}`] = photo;
    }
  }
  return form(whole, photos);
}

/**
 * @param {object} request
 * @param {Record<string, Blob>} photos by field path
 * @returns {FormData}
 */
function form(request, photos) {
  const parts = new FormData();
  parts.append('request', new Blob([JSON.stringify(request)], { type: 'application/json' }));
  for (const [path, photo] of Object.entries(photos)) {
    parts.append(path, photo, 'photo'); // not the file's own name, which may be a person's
  }
  return parts;
}
