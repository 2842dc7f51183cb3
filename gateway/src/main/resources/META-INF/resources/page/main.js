/** Puts the page together: photos on the left, portraits on the right, the server behind. */
import { showAbout } from './about.js';
import { announce } from './announce.js';
import { Comparison } from './comparison.js';
import { askCredential } from './credential.js';
import { make, one, write } from './dom.js';
import { drawHead } from './faces.js';
import { fromFragment, toFragment } from './link.js';
import { Mixture } from './mixture.js';
import { PhotoWell, receivePhotos } from './photo-well.js';
import { asProblem, showProblem } from './problem.js';
import { portraits } from './progress.js';
import { Server } from './server.js';
import { Settings } from './settings.js';
import { Studio } from './studio.js';

/** @typedef {'one' | 'mix' | 'compare'} Mode */

const RETRY_SECONDS = 3;
const COPY_LINK = 'Copy link to these settings';
const SETTLED = 300; // milliseconds without a change; browsers take only so many changes of the address

/** @type {Record<Mode, string[]>} */
const PHOTOS = {
  one: ['A photo of a face'],
  mix: ['The first person', 'The second person'],
  compare: ['One photo', 'The other photo'],
};

/** @type {import('./messages.js').ModelInfo} */
let info = {};
/** @type {ReturnType<typeof setTimeout> | undefined} */
let remembering;

const form = one(document, '#asking', HTMLFormElement);
const photos = one(document, '#photos', HTMLElement);
const mixturePlace = one(document, '#mixture', HTMLElement);
const drawing = one(document, '#drawing', HTMLElement);
const generate = one(document, '#generate', HTMLButtonElement);
const generateHint = one(document, '#generate-hint', HTMLElement);
const comparisonPlace = one(document, '#comparison', HTMLElement);
const invitation = one(document, '#invitation', HTMLElement);
const frames = one(document, '#frames', HTMLElement);
const outage = one(document, '#outage', HTMLElement);

const server = new Server(document.baseURI, askCredential);
const limits = () => info.limits ?? {};
const threshold = () => info.samePersonThreshold ?? 0;
/** @type {[PhotoWell, PhotoWell]} */
const wells = [new PhotoWell('first', server, limits), new PhotoWell('second', server, limits)];
const settings = new Settings(form);
const mixture = new Mixture(mixturePlace, wells);
const comparison = new Comparison(comparisonPlace, server, wells);
const studio = new Studio(server, one(document, '#runs', HTMLElement), threshold, (seed) => {
  settings.seed = seed;
  announce(`Seed ${seed} will be used for the next portraits.`);
});

photos.append(...wells.map(({ element }) => element));
receivePhotos(shownWells);
wells.forEach((well) => well.addEventListener('change', photosChanged));
form.addEventListener('change', (event) => {
  if (event.target instanceof HTMLInputElement && event.target.name === 'mode') {
    enter(mode());
  }
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  draw();
});
settings.addEventListener('change', () => {
  showFrames();
  rememberSoon();
});
mixturePlace.addEventListener('input', rememberSoon);
studio.addEventListener('change', showState);
one(document, '#reset', HTMLButtonElement).addEventListener('click', () => settings.reset());
one(document, '#copy-link', HTMLButtonElement).addEventListener('click', copyLink);
window.addEventListener('hashchange', applyLink);
window.addEventListener('pagehide', ({ persisted }) => {
  if (!persisted) {
    studio.cancel(); // nobody will see it
  }
});

enter(mode());
void meetServer();

/** Asks what is served, until the server says it. */
async function meetServer() {
  const served = one(document, '#served', HTMLElement);
  write(served, 'Connecting …');
  try {
    info = await server.model();
  } catch (error) {
    const problem = asProblem(error);
    write(served, '');
    showProblem(outage, problem);
    const again = new AbortController();
    one(outage, 'button', HTMLButtonElement).addEventListener('click', () => again.abort(), { signal: again.signal });
    const timer = problem.mayPass
      ? setTimeout(() => again.abort(), 1000 * Math.max(RETRY_SECONDS, problem.retryAfter ?? 0))
      : undefined;
    await new Promise((resolve) => again.signal.addEventListener('abort', resolve));
    clearTimeout(timer);
    return meetServer();
  }
  if (outage.contains(document.activeElement)) {
    form.focus(); // what was pressed is about to go
  }
  showProblem(outage, null);
  write(served, `${info.profile}, ${info.imageWidth} × ${info.imageHeight} pixels`);
  settings.offer(info);
  applyLink();
  enter(mode());
  showAbout(one(document, '#about', HTMLDetailsElement), info);
}

/** @returns {Mode} */
function mode() {
  return /** @type {Mode} */ (new FormData(form).get('mode'));
}

function shownWells() {
  return wells.slice(0, PHOTOS[mode()].length);
}

/** @param {Mode} entered */
function enter(entered) {
  const titles = PHOTOS[entered];
  photos.dataset.wells = String(titles.length);
  wells.forEach((well, i) => {
    well.element.hidden = i >= titles.length;
    well.title = titles[i] ?? '';
  });
  mixturePlace.hidden = entered !== 'mix';
  drawing.hidden = entered === 'compare';
  comparisonPlace.hidden = entered !== 'compare';
  photosChanged();
  rememberSoon();
}

function photosChanged() {
  if (mode() === 'mix') {
    mixture.show();
  } else if (mode() === 'compare') {
    void comparison.update(threshold());
  }
  showState();
}

/** What can be done now, and why not more. */
function showState() {
  const missing = shownWells().filter(({ isReady }) => !isReady).length;
  generate.disabled = studio.isBusy || missing > 0 || info.profile === undefined;
  write(generate, studio.isBusy ? 'Drawing …' : 'Generate');
  const empty = shownWells().filter(({ isEmpty }) => isEmpty).length;
  const ask = mode() === 'one' ? 'Add a photo first.' : `Add ${empty === 2 ? 'two photos' : 'the other photo'} first.`;
  write(generateHint, empty > 0 ? ask : '');
  invitation.hidden = !studio.isEmpty || mode() === 'compare';
}

function showFrames() {
  frames.replaceChildren(...Array.from({ length: settings.numImages }, () => make('i')));
}

function draw() {
  if (generate.disabled) {
    return;
  }
  const people = shownWells();
  const count = settings.numImages;
  void studio.draw({
    title: mode() === 'mix' ? `${portraits(count)} between two people` : portraits(count),
    identity: mode() === 'mix' ? mixture.identity(count) : people[0].identity,
    request: settings.request,
    portray: (canvas) => portray(canvas, people),
  });
}

/**
 * The face, or half of each.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {PhotoWell[]} people
 */
function portray(canvas, people) {
  drawHead(canvas, people[0].image, people[0].face);
  if (people.length > 1) {
    const other = make('canvas', { width: canvas.width, height: canvas.height });
    drawHead(other, people[1].image, people[1].face);
    const half = canvas.width / 2;
    canvas.getContext('2d')?.drawImage(other, half, 0, half, canvas.height, half, 0, half, canvas.height);
  }
}

/** Keeps the settings in the address, where a reload finds them, and a link can be copied from. */
function rememberSoon() {
  clearTimeout(remembering);
  remembering = setTimeout(remember, SETTLED);
}

function remember() {
  clearTimeout(remembering);
  if (info.profile === undefined) {
    return; // what the address says has not been read yet
  }
  const fragment = toFragment({
    ...(mode() !== 'one' && { mode: mode() }),
    ...(mode() === 'mix' && mixture.linked),
    ...settings.linked,
  });
  history.replaceState(null, '', fragment ? `#${fragment}` : location.pathname + location.search);
}

function applyLink() {
  const linked = fromFragment(location.hash);
  if (Object.keys(linked).length === 0) {
    return; // the address of a place in the page
  }
  settings.reset();
  settings.apply(linked);
  mixture.apply(linked);
  const choice = form.querySelector(`input[name=mode][value="${CSS.escape(linked.mode ?? 'one')}"]`);
  if (choice instanceof HTMLInputElement) {
    choice.checked = true;
  }
  enter(mode());
}

async function copyLink() {
  remember();
  const button = one(document, '#copy-link', HTMLButtonElement);
  try {
    await navigator.clipboard.writeText(location.href);
    write(button, 'Link copied');
  } catch {
    write(button, 'The link is in the address bar'); // the browser lets no page copy, or not this one
  }
  announce(button.textContent ?? '');
  setTimeout(() => write(button, COPY_LINK), 2500);
}
