/**
 * Reference lines: where the frame of one viewport, and the ends of its stack, cross the image of another.
 */
import { crossing, planeOf, shareFrameOfReference } from "../geometry/planes.js";

/**
 * @typedef {object} ReferenceLine in image coordinates of the image that is crossed
 * @property {{x: number, y: number}} from
 * @property {{x: number, y: number}} to
 * @property {string} label
 * @property {boolean} isEnd first or last frame of the stack, not the one that is shown
 */

/**
 * @param {{manifest: object, frame: number}} image on which the lines are drawn
 * @param {{manifest: object, frame: number}} source whose frame they show
 * @returns {ReferenceLine[]} none across frames of reference, between parallel planes, or where positions are unknown
 */
export function referenceLines(image, source) {
  if (!shareFrameOfReference(image.manifest, source.manifest)) return [];
  const plane = planeOf(image.manifest, image.frame);
  if (!plane) return [];
  const line = (frame, isEnd) => {
    const other = planeOf(source.manifest, frame);
    const found = other && crossing(plane, other);
    return found ? { ...found, label: isEnd ? String(frame) : seriesNumber(source.manifest), isEnd } : null;
  };
  const last = source.manifest.frames.length;
  const ends = [1, last].filter((frame, index) => frame !== source.frame && (index === 0 || last > 1));
  return [...ends.map((frame) => line(frame, true)), line(source.frame, false)].filter(Boolean);
}

function seriesNumber({ SeriesNumber: number }) {
  return number === null || number === undefined ? "" : `S${number}`;
}
