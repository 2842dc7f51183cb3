/** The place for one photo: drop, paste, choose or take it, see its faces, pick one. */
import { announce } from './announce.js';
import { hasCamera, takePhoto } from './camera.js';
import { one, stamp, write } from './dom.js';
import { edges, faceMark, isLargeEnough, largest } from './faces.js';
import { person } from './identity.js';
import { readPhoto } from './photo.js';
import { Problem, asProblem, showProblem } from './problem.js';

/**
 * @typedef {import('./messages.js').Face} Face
 * @typedef {import('./photo.js').Photo} Photo
 */

/** Sends 'change' whenever another identity, or none, is meant. */
export class PhotoWell extends EventTarget {
  #root = stamp('photo-well');
  #image = one(this.#root, 'img', HTMLImageElement);
  #empty = one(this.#root, '.well-empty', HTMLElement);
  #filled = one(this.#root, '.well-filled', HTMLElement);
  #title = one(this.#root, '.well-title', HTMLElement);
  #input = one(this.#root, 'input[type=file]', HTMLInputElement);
  #marks = one(this.#root, '.faces', HTMLFieldSetElement);
  #found = one(this.#root, '.found', HTMLElement);
  #problem = one(this.#root, '.problem', HTMLElement);
  #again = one(this.#root, '.again', HTMLButtonElement);
  #remove = one(this.#root, '.remove', HTMLButtonElement);
  #reading = new AbortController();
  #name;
  #server;
  #limits;

  /** @type {Photo | null} */
  #photo = null;
  /** @type {Face[]} */
  #faces = [];
  /** @type {Face | undefined} */
  #face;
  #usable = false;

  /**
   * @param {string} name of this place among its like; a word in ids
   * @param {import('./server.js').Server} server
   * @param {() => import('./messages.js').Limits} limits
   */
  constructor(name, server, limits) {
    super();
    this.#name = name;
    this.#server = server;
    this.#limits = limits;
    this.#listen();
  }

  get element() {
    return this.#root;
  }

  /** Whether there is a face to work with. */
  get isReady() {
    return this.#usable;
  }

  get isEmpty() {
    return this.#photo === null;
  }

  /** The photo as it is shown, for drawing from; null while there is none. */
  get image() {
    return this.#photo ? this.#image : null;
  }

  get face() {
    return this.#face;
  }

  /** @returns {import('./identity.js').Identity} */
  get identity() {
    if (!this.#photo) {
      throw new Error('there is no photo');
    }
    return person(this.#photo.blob, this.#face && (this.#face.index ?? 0));
  }

  /**
   * What this place is for, now: one photo of one, or one of two.
   *
   * @param {string} title
   */
  set title(title) {
    write(this.#title, title);
    this.#root.setAttribute('aria-label', title);
  }

  /** @param {Blob} file */
  async show(file) {
    const focused = this.#root.contains(document.activeElement);
    this.clear();
    if (focused) {
      this.#input.focus(); // what had the focus may be gone
    }
    const reading = this.#reading;
    try {
      const photo = await readPhoto(file, this.#limits());
      if (reading.signal.aborted) {
        URL.revokeObjectURL(photo.url);
        return;
      }
      this.#photo = photo;
      this.#image.src = photo.url;
      this.#image.alt = 'Your photo';
      const pressedHere = this.#empty.contains(document.activeElement);
      this.#empty.hidden = true;
      this.#filled.hidden = false;
      if (pressedHere) {
        this.#remove.focus(); // what was pressed is gone
      }
      await this.#image.decode();
      await this.#findFaces(photo, reading.signal);
    } catch (error) {
      if (!reading.signal.aborted) {
        this.#fail(asProblem(error));
      }
    }
  }

  /** Forgets the photo. */
  clear() {
    this.#reading.abort();
    this.#reading = new AbortController();
    if (this.#photo) {
      URL.revokeObjectURL(this.#photo.url);
      this.#image.removeAttribute('src');
    }
    this.#photo = null;
    this.#faces = [];
    this.#face = undefined;
    this.#usable = false;
    this.#marks.querySelectorAll('label').forEach((mark) => mark.remove());
    this.#input.value = '';
    this.#empty.hidden = false;
    this.#filled.hidden = true;
    this.#tell('', false);
    showProblem(this.#problem, null);
    this.#changed();
  }

  #listen() {
    const camera = one(this.#root, '.take', HTMLButtonElement);
    camera.hidden = !hasCamera();
    camera.addEventListener('click', async () => {
      const photo = await takePhoto();
      if (photo) {
        await this.show(photo);
      }
    });
    this.#input.addEventListener('change', () => {
      const file = this.#input.files?.[0];
      if (file) {
        void this.show(file);
      }
    });
    this.#remove.addEventListener('click', () => {
      this.clear();
      this.#input.focus();
    });
    this.#again.addEventListener('click', () => {
      if (this.#photo) {
        void this.show(this.#photo.blob);
      }
    });
    this.#marks.addEventListener('change', (event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      this.#face = this.#faces.find(({ index = 0 }) => index === Number(value));
      this.#changed();
    });
    for (const type of ['dragenter', 'dragover']) {
      this.#root.addEventListener(type, () => this.#root.toggleAttribute('data-over', true));
    }
    for (const type of ['dragleave', 'drop']) {
      this.#root.addEventListener(type, () => this.#root.removeAttribute('data-over'));
    }
  }

  /**
   * @param {Photo} photo
   * @param {AbortSignal} signal
   */
  async #findFaces(photo, signal) {
    this.#tell('Looking for faces …', true);
    try {
      const { faces = [] } = await this.#server.detect(photo.blob, signal);
      if (faces.length === 0) {
        throw new Problem({ reason: 'NO_FACE_DETECTED' });
      }
      this.#offer(faces, photo);
    } catch (error) {
      if (!(error instanceof Problem && error.reason === 'PERMISSION_DENIED')) {
        throw error;
      }
      // The key may draw, but not detect: the server picks the face.
      this.#usable = true;
      this.#tell('The largest face will be used.', false);
    }
    this.#changed();
  }

  /**
   * @param {Face[]} faces
   * @param {Photo} photo
   */
  #offer(faces, photo) {
    const least = this.#limits().minFacePixels ?? 0;
    const usable = faces.filter((face) => isLargeEnough(face, least));
    this.#faces = faces;
    this.#face = largest(usable);
    this.#usable = this.#face !== undefined;
    // From left to right, which is how a person counts, and how the arrow keys go.
    const inOrder = [...faces].sort((one, other) => (one.left ?? 0) - (other.left ?? 0));
    inOrder.forEach((face, i) => {
      const mark = faceMark(`face-${this.#name}`, face, i + 1, faces.length, photo, usable.includes(face));
      one(mark, 'input', HTMLInputElement).checked = face === this.#face;
      this.#marks.append(mark);
    });
    const words = faces.length === 1 ? 'One face found.' : `${faces.length} faces found: pick one.`;
    this.#tell(this.#usable ? words : '', false);
    if (!this.#face) {
      const { width, height } = edges(largest(faces) ?? {});
      throw new Problem({
        reason: 'FACE_TOO_SMALL',
        metadata: { actual_pixels: String(Math.floor(Math.min(width, height))), threshold_pixels: String(least) },
      });
    }
  }

  /** @param {Problem} problem */
  #fail(problem) {
    this.#usable = false;
    this.#tell('', false);
    this.#again.hidden = !problem.mayPass;
    showProblem(this.#problem, problem);
    this.#changed();
  }

  /**
   * @param {string} words
   * @param {boolean} busy
   */
  #tell(words, busy) {
    write(this.#found, words);
    this.#found.toggleAttribute('data-busy', busy);
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/**
 * Photos that are dropped or pasted anywhere go to the first well that has none, or to the one that was meant.
 *
 * @param {() => PhotoWell[]} wells those that are shown
 */
export function receivePhotos(wells) {
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault(); // or the browser would leave the page and show the file
    const target = event.target instanceof Node ? event.target : null;
    receive(event.dataTransfer, wells().find(({ element }) => element.contains(target)));
  });
  document.addEventListener('paste', (event) => {
    if (receive(event.clipboardData, undefined)) {
      event.preventDefault();
    }
  });

  /**
   * @param {DataTransfer | null} transfer
   * @param {PhotoWell | undefined} meant
   */
  function receive(transfer, meant) {
    const files = [...(transfer?.files ?? [])];
    const places = meant ? [meant] : [...wells().filter(({ isEmpty }) => isEmpty), ...wells()];
    files.slice(0, meant ? 1 : wells().length).forEach((file, i) => {
      void places[i]?.show(file);
      announce('Photo added.');
    });
    return files.length > 0;
  }
}
