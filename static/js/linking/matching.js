/**
 * Which frame of another stack lies where a frame lies: by frame of reference, else by an offset that somebody set.
 * Never across orientations.
 */
import { areParallel, middleOf, nearestFrame, planeOf, shareFrameOfReference } from "../geometry/planes.js";
import { dot } from "../geometry/vectors.js";

/** How two stacks are matched, in the words that stand on the linked viewport. */
export const MATCHED = Object.freeze({
  position: "linked",
  hand: "linked: matched by hand",
  middle: "linked: middles matched, not registered",
});

/** The axis of the patient that a plane crosses most: 0 left-right, 1 front-back, 2 foot-head. */
function axisOf(plane) {
  const sizes = plane.normal.map(Math.abs);
  return sizes.indexOf(Math.max(...sizes));
}

/** How far a plane lies along its normal, counted towards L, P or H whichever way its rows run; mm. */
export function heightOf(plane) {
  const towards = Math.sign(plane.normal[axisOf(plane)]);
  return towards * dot(plane.normal, middleOf(plane));
}

/** Names what an offset is good for: everything in one frame of reference, along one axis. */
function placeOf(manifest, plane) {
  return `${manifest.FrameOfReferenceUID || manifest.stack} ${axisOf(plane)}`;
}

/** Offsets in millimetres between stacks without a common frame of reference. */
export class Offsets {
  #known = new Map();

  /**
   * Says that two frames show the same place.
   * @param {{manifest: object, frame: number}} one
   * @param {{manifest: object, frame: number}} other
   * @param {"hand"|"middle"} how
   * @returns {boolean} whether that can be said of them
   */
  set(one, other, how) {
    const [from, to] = [planeOf(one.manifest, one.frame), planeOf(other.manifest, other.frame)];
    if (!from || !to || !areParallel(from, to) || shareFrameOfReference(one.manifest, other.manifest)) return false;
    const [here, there] = [placeOf(one.manifest, from), placeOf(other.manifest, to)];
    const offset = heightOf(to) - heightOf(from);
    this.#known.set(`${here} > ${there}`, { offset, how });
    this.#known.set(`${there} > ${here}`, { offset: -offset, how });
    return true;
  }

  /** @returns {{offset: number, how: "hand"|"middle"}|null} */
  between(manifest, plane, otherManifest, otherPlane) {
    return this.#known.get(`${placeOf(manifest, plane)} > ${placeOf(otherManifest, otherPlane)}`) ?? null;
  }

  clear() {
    this.#known.clear();
  }
}

/**
 * The frame of a stack that shows what a frame of another shows.
 * @param {{manifest: object, frame: number}} source
 * @param {object} manifest of the other stack
 * @param {Offsets} offsets
 * @returns {{frame: number, how: "position"|"hand"|"middle"}|null} null: they cannot be matched
 */
export function matchingFrame(source, manifest, offsets) {
  const plane = planeOf(source.manifest, source.frame);
  if (!plane || !manifest) return null;
  if (shareFrameOfReference(source.manifest, manifest)) {
    const nearest = nearestFrame(manifest, middleOf(plane), plane);
    return nearest && { frame: nearest.frame, how: "position" };
  }
  return frameAtOffset(source.manifest, plane, manifest, offsets);
}

function frameAtOffset(sourceManifest, plane, manifest, offsets) {
  let nearest = null;
  for (let frame = 1; frame <= manifest.frames.length; frame += 1) {
    const other = planeOf(manifest, frame);
    if (!other || !areParallel(plane, other)) continue;
    const known = offsets.between(sourceManifest, plane, manifest, other);
    if (!known) continue;
    const distance = Math.abs(heightOf(other) - heightOf(plane) - known.offset);
    if (!nearest || distance < nearest.distance) nearest = { frame, how: known.how, distance };
  }
  return nearest && { frame: nearest.frame, how: nearest.how };
}

/** The frame in the middle of a stack. */
export function middleFrame(manifest) {
  return Math.ceil(manifest.frames.length / 2);
}
