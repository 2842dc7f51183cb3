/**
 * The messages of the API (proto/arc2face/v1) as protobuf JSON, as far as the page has to do with them. A field with its
 * default value may be left out: what is absent is 0, "", false or empty.
 *
 * @typedef {object} Face
 * @property {number} [index]
 * @property {number} [left] in pixels of the upright photo, as the other edges
 * @property {number} [top]
 * @property {number} [right]
 * @property {number} [bottom]
 *
 * @typedef {object} IdentitySource all but the photos, which travel as parts of their own
 * @property {number} [faceIndex]
 * @property {{ first: IdentitySource, second: IdentitySource, t: number[] }} [interpolation]
 *
 * @typedef {object} GenerateRequest
 * @property {IdentitySource} [identity]
 * @property {number} [numImages]
 * @property {number} [steps]
 * @property {number} [guidanceScale]
 * @property {string} [scheduler]
 * @property {number} [seed]
 * @property {number} [previewEvery]
 * @property {string} [outputFormat]
 * @property {string} [requestId]
 * @property {string} [variant]
 * @property {string} [onDisconnect]
 *
 * @typedef {object} Accepted
 * @property {string} [requestId]
 * @property {number} [steps]
 * @property {number} [guidanceScale]
 * @property {string} [scheduler]
 * @property {number[]} [seeds]
 * @property {string} [variant]
 * @property {number[]} [t]
 *
 * @typedef {object} IdentityScore
 * @property {number} [similarity]
 * @property {boolean} [noFaceFound]
 *
 * @typedef {object} PortraitImage
 * @property {number} [imageIndex]
 * @property {number} [seed]
 * @property {string} [data] base64
 * @property {string} [format]
 * @property {IdentityScore} [identityScore]
 * @property {number} [t]
 *
 * @typedef {object} Preview
 * @property {number} [imageIndex]
 * @property {string} [jpeg] base64
 *
 * @typedef {object} StepProgress
 * @property {number} [step]
 * @property {number} [totalSteps]
 * @property {string} [expectedRemaining]
 *
 * @typedef {object} Queued
 * @property {number} [position]
 * @property {string} [expectedWait]
 *
 * @typedef {object} Completed
 * @property {string} [elapsed]
 * @property {object} [receipt]
 *
 * @typedef {object} GenerateResponse one of these
 * @property {Accepted} [accepted]
 * @property {Queued} [queued]
 * @property {object} [faceReport]
 * @property {StepProgress} [stepProgress]
 * @property {Preview} [preview]
 * @property {PortraitImage} [image]
 * @property {Completed} [completed]
 *
 * @typedef {object} DetectFacesResponse
 * @property {Face[]} [faces]
 *
 * @typedef {object} CompareFacesResponse
 * @property {number} [similarity]
 *
 * @typedef {object} Variant
 * @property {string} [id]
 * @property {number} [defaultSteps]
 * @property {number} [defaultGuidanceScale]
 * @property {string} [defaultScheduler]
 *
 * @typedef {object} Limits
 * @property {number} [maxPhotoBytes]
 * @property {number} [maxPhotoPixels]
 * @property {number} [maxImages]
 * @property {number} [maxSteps]
 * @property {number} [minFacePixels]
 *
 * @typedef {object} ModelInfo
 * @property {string} [profile]
 * @property {number} [imageWidth]
 * @property {number} [imageHeight]
 * @property {{ id?: string, diffusersClass?: string }[]} [schedulers]
 * @property {Limits} [limits]
 * @property {Variant[]} [variants]
 * @property {{ outputFormat?: string }} [defaults]
 * @property {string} [modelServer]
 * @property {string} [gatewayVersion]
 * @property {string[]} [licenceNotes]
 * @property {number} [samePersonThreshold]
 */

/**
 * A google.protobuf.Duration ("1.500s") in seconds; undefined where there is none.
 *
 * @param {string | undefined} duration
 * @returns {number | undefined}
 */
export function seconds(duration) {
  const found = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? '');
  return found ? Number(found[1]) : undefined;
}

/**
 * A bytes field.
 *
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
