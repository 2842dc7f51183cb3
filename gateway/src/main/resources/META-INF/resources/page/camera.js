/** A photo from the camera, by a dialog. */
import { one } from './dom.js';
import { jpeg } from './photo.js';
import { asProblem, inWords } from './problem.js';

const dialog = one(document, '#camera', HTMLDialogElement);
const video = one(dialog, 'video', HTMLVideoElement);
const viewfinder = one(dialog, '.viewfinder', HTMLElement);
const refusal = one(dialog, '.problem', HTMLElement);
const take = one(dialog, '[value=take]', HTMLButtonElement);
const turn = one(dialog, '[value=turn]', HTMLButtonElement);

let latest = 0; // of the times that a camera was asked for: an earlier one may be answered late

/** Browsers lend cameras to pages that came encrypted or from this machine. */
export function hasCamera() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/** @returns {Promise<Blob | null>} null where the person took none */
export async function takePhoto() {
  let facing = 'user';
  /** @type {Blob | null} */
  let photo = null;
  const listeners = new AbortController();
  const on = { signal: listeners.signal };
  one(dialog, '[value=close]', HTMLButtonElement).addEventListener('click', () => dialog.close(), on);
  turn.addEventListener('click', () => look((facing = facing === 'user' ? 'environment' : 'user')), on);
  take.addEventListener(
    'click',
    async () => {
      photo = await still().catch((error) => {
        refuse(inWords(asProblem(error)).title);
        return null;
      });
      if (photo) {
        dialog.close();
      }
    },
    on,
  );
  dialog.showModal();
  const closed = new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  void look(facing);
  await closed;
  listeners.abort();
  stop();
  return photo;
}

/**
 * Shows what the camera sees; nothing is taken yet, and nothing leaves the page.
 *
 * @param {string} facing
 */
async function look(facing) {
  const mine = ++latest;
  stop();
  take.disabled = true;
  refusal.hidden = true;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 } } });
    if (mine !== latest || !dialog.open) {
      end(stream); // nobody looks there any more
      return;
    }
    video.srcObject = stream;
    await video.play();
    viewfinder.dataset.facing = stream.getVideoTracks()[0]?.getSettings().facingMode ?? 'user';
    take.disabled = false;
    const devices = await navigator.mediaDevices.enumerateDevices();
    turn.hidden = devices.filter(({ kind }) => kind === 'videoinput').length < 2;
  } catch (error) {
    if (mine !== latest) {
      return;
    }
    const name = error instanceof DOMException ? error.name : '';
    refuse(
      name === 'NotAllowedError'
        ? 'The camera is not allowed here. Your browser’s settings for this page can change that.'
        : 'There is no camera that can be used.',
    );
  }
}

/** @param {string} words */
function refuse(words) {
  refusal.textContent = words;
  refusal.hidden = false;
}

function stop() {
  if (video.srcObject instanceof MediaStream) {
    end(video.srcObject);
  }
  video.srcObject = null;
}

/** @param {MediaStream} stream */
function end(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

/** What the camera sees now, unmirrored. */
function still() {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  return jpeg(canvas);
}
