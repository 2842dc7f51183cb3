/**
 * Server-sent events out of bytes, as the HTML standard reads them.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

/**
 * @typedef {object} StreamEvent
 * @property {string} type
 * @property {string} data
 * @property {string} lastEventId that of this event or, where it has none, of the last one that had
 */

/** Takes the bytes as they come, cut anywhere, and gives the events that they complete. */
export class EventStreamParser {
  #decoder = new TextDecoder();
  #line = '';
  #endedWithReturn = false;
  #type = '';
  /** @type {string[]} */
  #data = [];
  #lastEventId = '';

  /**
   * @param {Uint8Array} bytes
   * @returns {StreamEvent[]}
   */
  push(bytes) {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (this.#endedWithReturn && text.startsWith('\n')) {
      text = text.slice(1); // the other half of a line end
      this.#endedWithReturn = false;
    }
    if (text !== '') {
      this.#endedWithReturn = text.endsWith('\r');
    }
    const lines = (this.#line + text).split(/\r\n|\r|\n/);
    this.#line = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line));
  }

  /**
   * @param {string} line
   * @returns {StreamEvent[]}
   */
  #take(line) {
    if (line === '') {
      return this.#dispatch();
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') {
      this.#type = value;
    } else if (field === 'data') {
      this.#data.push(value);
    } else if (field === 'id' && !value.includes('\0')) {
      this.#lastEventId = value;
    }
    return [];
  }

  #dispatch() {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), lastEventId: this.#lastEventId };
    const complete = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    return complete ? [event] : [];
  }
}

/**
 * The events of a body. It ends with the body, and fails where the connection breaks or is silent for too long: a
 * server that has nothing to say sends comments.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {number} silence in milliseconds
 * @returns {AsyncGenerator<StreamEvent, void, void>}
 */
export async function* readEvents(body, silence) {
  const reader = body.getReader();
  const parser = new EventStreamParser();
  try {
    for (;;) {
      const { done, value } = await within(silence, reader.read());
      if (done) {
        return;
      }
      yield* parser.push(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined); // lets go of the connection, whoever left
  }
}

/**
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
async function within(milliseconds, promise) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TypeError('the stream is silent')), milliseconds);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}
