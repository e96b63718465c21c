/**
 * Where the frames of a stack lie in the patient: planes, where they cross, and which frame is nearest to a point.
 *
 * Image coordinates are those of view_transform.js: the first pixel covers [0, 1), so its centre, which is what Image
 * Position (Patient) names (PS3.3 C.7.6.2.1.1), is (0.5, 0.5).
 */
import { cross, dot, minus, plus } from "./vectors.js";

/** Planes whose normals differ by less count as one orientation. */
const SAME_ORIENTATION_COSINE = Math.cos((10 * Math.PI) / 180);
/** A pair of directions whose lengths or angle are further off is no orientation. */
const UNIT_TOLERANCE = 1e-2;
const HALF_PIXEL = 0.5;

/**
 * @typedef {object} Plane
 * @property {number[]} origin centre of the first pixel, mm
 * @property {number[]} row direction in which columns are counted
 * @property {number[]} column direction in which rows are counted
 * @property {number[]} normal
 * @property {{x: number, y: number}} spacing between columns (x) and between rows (y), mm
 * @property {{x: number, y: number}} extent columns and rows
 */

function isOrientation(orientation) {
  if (orientation?.length !== 6) return false;
  const [row, column] = [orientation.slice(0, 3), orientation.slice(3)];
  const errors = [dot(row, row) - 1, dot(column, column) - 1, dot(row, column)];
  return errors.every((error) => Math.abs(error) <= UNIT_TOLERANCE);
}

/**
 * The plane of a frame; null where the file does not say where it lies or how large its pixels are.
 * @param {object} manifest of the stack
 * @param {number} frame from 1
 * @returns {Plane|null}
 */
export function planeOf(manifest, frame) {
  const facts = manifest?.frames[frame - 1];
  const { row_mm: rowMm, column_mm: columnMm } = manifest?.PixelSpacing ?? {};
  if (facts?.ImagePositionPatient?.length !== 3 || !isOrientation(facts.ImageOrientationPatient)) return null;
  if (!(rowMm > 0 && columnMm > 0)) return null;
  const row = facts.ImageOrientationPatient.slice(0, 3);
  const column = facts.ImageOrientationPatient.slice(3);
  return {
    origin: facts.ImagePositionPatient,
    row,
    column,
    normal: cross(row, column),
    spacing: { x: columnMm, y: rowMm },
    extent: { x: manifest.Columns, y: manifest.Rows },
  };
}

/** From image coordinates to the patient. @param {Plane} plane @returns {number[]} mm */
export function toPatient(plane, { x, y }) {
  const along = plus(plane.origin, plane.row, (x - HALF_PIXEL) * plane.spacing.x);
  return plus(along, plane.column, (y - HALF_PIXEL) * plane.spacing.y);
}

/** The foot of a patient point on a plane, in image coordinates. @param {number[]} point mm */
export function toImage(plane, point) {
  const offset = minus(point, plane.origin);
  return {
    x: dot(offset, plane.row) / plane.spacing.x + HALF_PIXEL,
    y: dot(offset, plane.column) / plane.spacing.y + HALF_PIXEL,
  };
}

/** Middle of the image in the patient. */
export function middleOf(plane) {
  return toPatient(plane, { x: plane.extent.x / 2, y: plane.extent.y / 2 });
}

/** Whether two planes are (nearly) parallel, seen from either side. */
export function areParallel(one, other) {
  return Math.abs(dot(one.normal, other.normal)) >= SAME_ORIENTATION_COSINE;
}

/** Whether two images lie the same way: parallel, and right and down are the same in both. */
export function lieTheSame(one, other) {
  return dot(one.row, other.row) >= SAME_ORIENTATION_COSINE && dot(one.column, other.column) >= SAME_ORIENTATION_COSINE;
}

/**
 * Where another plane crosses an image, from edge to edge.
 * @param {Plane} image on which the line is drawn
 * @param {Plane} other
 * @returns {{from: {x: number, y: number}, to: {x: number, y: number}}|null} in coordinates of the image; null where they
 *   are parallel or meet outside it
 */
export function crossing(image, other) {
  if (areParallel(image, other)) return null;
  // The distance of image point (x, y) from the other plane is a x + b y + c.
  const a = dot(other.normal, image.row) * image.spacing.x;
  const b = dot(other.normal, image.column) * image.spacing.y;
  const c = dot(other.normal, minus(toPatient(image, { x: 0, y: 0 }), other.origin));
  return clipped(a, b, c, image.extent);
}

/** The part of the line a x + b y + c = 0 on [0, width] × [0, height]. */
function clipped(a, b, c, { x: width, y: height }) {
  const length = Math.hypot(a, b);
  const foot = { x: (-a * c) / length ** 2, y: (-b * c) / length ** 2 };
  const along = { x: -b / length, y: a / length };
  let [first, last] = [-Infinity, Infinity];
  for (const [axis, end] of [["x", width], ["y", height]]) {
    if (Math.abs(along[axis]) < 1e-12) {
      if (foot[axis] < 0 || foot[axis] > end) return null;
      continue;
    }
    const [one, other] = [-foot[axis] / along[axis], (end - foot[axis]) / along[axis]];
    first = Math.max(first, Math.min(one, other));
    last = Math.min(last, Math.max(one, other));
  }
  if (!(first < last)) return null;
  const at = (way) => ({ x: foot.x + way * along.x, y: foot.y + way * along.y });
  return { from: at(first), to: at(last) };
}

/**
 * The frame of a stack that lies nearest to a point, measured along the frame's own normal.
 * @param {object} manifest of the stack
 * @param {number[]} point mm
 * @param {Plane} [parallelTo] leave out frames of another orientation
 * @returns {{frame: number, distance: number}|null} distance in mm, never negative
 */
export function nearestFrame(manifest, point, parallelTo = null) {
  let nearest = null;
  for (let frame = 1; frame <= manifest.frames.length; frame += 1) {
    const plane = planeOf(manifest, frame);
    if (!plane || (parallelTo && !areParallel(plane, parallelTo))) continue;
    const distance = Math.abs(dot(minus(point, plane.origin), plane.normal));
    if (!nearest || distance < nearest.distance) nearest = { frame, distance };
  }
  return nearest;
}

/** Whether two stacks name the same frame of reference, so that their positions can be compared. */
export function shareFrameOfReference(one, other) {
  return Boolean(one?.FrameOfReferenceUID) && one.FrameOfReferenceUID === other?.FrameOfReferenceUID;
}
