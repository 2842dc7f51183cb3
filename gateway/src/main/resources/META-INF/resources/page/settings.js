/** How portraits are drawn: the controls, within what the server allows, and what they make of a request. */
import { make, one, write } from './dom.js';

/**
 * @typedef {import('./messages.js').ModelInfo} ModelInfo
 * @typedef {import('./messages.js').GenerateRequest} GenerateRequest
 * @typedef {import('./link.js').Linked} Linked
 */

const PORTRAITS = 4;
const PREVIEWS = 25; // of a generation: more than anybody sees are not worth sending
const MAX_SEED = 0xffff_ffff;

/** Shows the value of a slider beside it, and how far it is; calls back when it is moved. */
export class Slider {
  /**
   * @param {HTMLFormElement} form
   * @param {string} id
   */
  constructor(form, id) {
    this.input = one(form, `#${id}`, HTMLInputElement);
    this.output = one(form, `output[for=${id}]`, HTMLOutputElement);
    this.input.addEventListener('input', () => this.show());
  }

  get value() {
    return this.input.valueAsNumber;
  }

  /** Whatever is set becomes a value that the slider can have. */
  set value(value) {
    this.input.value = String(value);
    this.show();
  }

  /** @param {number} most */
  limit(most) {
    this.input.max = String(most);
    this.show();
  }

  show() {
    const [min, max] = [Number(this.input.min), Number(this.input.max)];
    this.input.style.setProperty('--share', String(max > min ? (this.value - min) / (max - min) : 1));
    write(this.output, this.input.value);
  }
}

/** Sends 'change' when anything is set. */
export class Settings extends EventTarget {
  #numImages;
  #steps;
  #guidanceScale;
  #scheduler;
  #outputFormat;
  #seed;
  #variants;
  #recipe;
  /** @type {ModelInfo} */
  #info = {};

  /** @param {HTMLFormElement} form */
  constructor(form) {
    super();
    this.#numImages = new Slider(form, 'numImages');
    this.#steps = new Slider(form, 'steps');
    this.#guidanceScale = new Slider(form, 'guidanceScale');
    this.#scheduler = one(form, '#scheduler', HTMLSelectElement);
    this.#outputFormat = one(form, '#outputFormat', HTMLSelectElement);
    this.#seed = one(form, '#seed', HTMLInputElement);
    this.#variants = one(form, '#variants', HTMLFieldSetElement);
    this.#recipe = one(form, '#recipe', HTMLElement);
    // What is folded away cannot be complained about by the browser.
    this.#seed.addEventListener('invalid', () => {
      one(form, '.settings', HTMLDetailsElement).open = true;
    });
    this.#variants.addEventListener('change', () => {
      this.#takeRecipe();
      this.#changed();
    });
    form.addEventListener('input', () => this.#changed());
  }

  /**
   * Takes limits, variants and defaults from the server.
   *
   * @param {ModelInfo} info
   */
  offer(info) {
    this.#info = info;
    this.#numImages.limit(info.limits?.maxImages ?? 16);
    this.#steps.limit(info.limits?.maxSteps ?? 100);
    this.#scheduler.replaceChildren(
      ...(info.schedulers ?? []).map(({ id = '', diffusersClass = '' }) =>
        make('option', { value: id, textContent: id, title: diffusersClass }),
      ),
    );
    const variants = info.variants ?? [];
    this.#variants.hidden = variants.length < 2;
    one(this.#variants, '.segments', HTMLElement).replaceChildren(
      ...variants.map(({ id = '', defaultSteps = 0 }) =>
        make(
          'label',
          {},
          make('input', { type: 'radio', name: 'variant', value: id }),
          make('span', {}, id, make('small', { textContent: `${defaultSteps} steps` })),
        ),
      ),
    );
    this.reset();
  }

  /** Back to the server's own recipe. */
  reset() {
    this.#variant = this.#info.variants?.[0]?.id ?? '';
    this.#numImages.value = this.#usualNumber;
    this.#outputFormat.value = this.#info.defaults?.outputFormat ?? 'IMAGE_FORMAT_PNG';
    this.#seed.value = '';
    this.#takeRecipe();
    this.#changed();
  }

  /**
   * Sets what a link says, as far as the server has it.
   *
   * @param {Linked} linked
   */
  apply(linked) {
    if (this.#info.variants?.some(({ id }) => id === linked.variant)) {
      this.#variant = linked.variant;
      this.#takeRecipe();
    }
    for (const [slider, value] of /** @type {[Slider, string | undefined][]} */ ([
      [this.#numImages, linked.numImages],
      [this.#steps, linked.steps],
      [this.#guidanceScale, linked.guidanceScale],
    ])) {
      if (value !== undefined && Number.isFinite(Number(value))) {
        slider.value = Number(value);
      }
    }
    for (const [select, value] of /** @type {[HTMLSelectElement, string | undefined][]} */ ([
      [this.#scheduler, linked.scheduler],
      [this.#outputFormat, linked.outputFormat],
    ])) {
      if ([...select.options].some((option) => option.value === value)) {
        select.value = value ?? '';
      }
    }
    if (/^\d{1,10}$/.test(linked.seed ?? '')) {
      this.#seed.value = linked.seed;
    }
    this.#changed();
  }

  /** What differs from the server's own recipe, for a link. */
  get linked() {
    const recipe = this.#recipeOf(this.#variant);
    /** @type {Linked} */
    const linked = {};
    if (this.#numImages.value !== this.#usualNumber) {
      linked.numImages = String(this.#numImages.value);
    }
    if (this.#variant !== this.#info.variants?.[0]?.id) {
      linked.variant = this.#variant;
    }
    if (this.#steps.value !== recipe.steps) {
      linked.steps = String(this.#steps.value);
    }
    if (this.#guidanceScale.value !== recipe.guidanceScale) {
      linked.guidanceScale = String(this.#guidanceScale.value);
    }
    if (this.#scheduler.value !== recipe.scheduler) {
      linked.scheduler = this.#scheduler.value;
    }
    if (this.#outputFormat.value !== this.#info.defaults?.outputFormat) {
      linked.outputFormat = this.#outputFormat.value;
    }
    if (this.seed !== undefined) {
      linked.seed = String(this.seed);
    }
    return linked;
  }

  /** Undefined where the server is to pick one, or what stands there is none. */
  get seed() {
    const text = this.#seed.value.trim();
    return /^\d{1,10}$/.test(text) && Number(text) <= MAX_SEED ? Number(text) : undefined;
  }

  set seed(seed) {
    this.#seed.value = seed === undefined ? '' : String(seed);
    this.#changed();
  }

  get numImages() {
    return this.#numImages.value;
  }

  /** @returns {GenerateRequest} but for the identity */
  get request() {
    return {
      numImages: this.#numImages.value,
      steps: this.#steps.value,
      guidanceScale: this.#guidanceScale.value,
      scheduler: this.#scheduler.value,
      variant: this.#variant,
      outputFormat: this.#outputFormat.value,
      previewEvery: Math.ceil(this.#steps.value / PREVIEWS),
      ...(this.seed !== undefined && { seed: this.seed }),
    };
  }

  get #usualNumber() {
    return Math.min(PORTRAITS, Number(this.#numImages.input.max));
  }

  get #variant() {
    return this.#variants.querySelector('input:checked')?.getAttribute('value') ?? this.#info.variants?.[0]?.id ?? '';
  }

  set #variant(id) {
    this.#variants.querySelectorAll('input').forEach((choice) => {
      choice.checked = choice.value === id;
    });
  }

  /** A variant is a way to draw: its steps, guidance and scheduler belong together. */
  #takeRecipe() {
    const { steps, guidanceScale, scheduler } = this.#recipeOf(this.#variant);
    this.#steps.value = steps;
    this.#guidanceScale.value = guidanceScale;
    this.#scheduler.value = scheduler;
  }

  /** @param {string} variant */
  #recipeOf(variant) {
    const found = this.#info.variants?.find(({ id }) => id === variant);
    return {
      steps: found?.defaultSteps ?? 25,
      guidanceScale: found?.defaultGuidanceScale ?? 1,
      scheduler: found?.defaultScheduler ?? '',
    };
  }

  #changed() {
    const valid = this.#seed.value.trim() === '' || this.seed !== undefined;
    this.#seed.setCustomValidity(valid ? '' : `A seed is a whole number from 0 to ${MAX_SEED}.`);
    const seed = this.seed === undefined ? [] : [`seed ${this.seed}`];
    const variant = (this.#info.variants?.length ?? 0) > 1 ? [this.#variant] : [];
    write(this.#recipe, [...variant, `${this.#steps.value} steps`, ...seed].join(' · '));
    this.dispatchEvent(new Event('change'));
  }
}
