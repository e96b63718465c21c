/**
 * How an image lies in a viewport: zoom, pan, quarter turns and a flip, as one affine map.
 *
 * Image coordinates: x counts columns and y counts rows, both from the outer corner of the first pixel, so that pixel
 * (row, column) covers [column, column + 1) x [row, row + 1). Viewport coordinates: device pixels of its canvas.
 *
 * Every quarter turn and mirror is one of eight placements: first (perhaps) mirrored left-right, then turned clockwise.
 */
import { Affine } from "./affine.js";

/** Smallest and largest magnification, device pixels for an image pixel; a slide of 200,000 columns fits a small pane. */
export const ZOOM_LIMITS = Object.freeze({ least: 0.001, most: 64 });

/** Sides of a pixel that differ by less are equal: spacings are rounded, and 1:1 must stay 1:1. */
const SAME_SIDES = 1e-3;

/**
 * @typedef {object} Placement
 * @property {0|90|180|270} rotation clockwise, after the flip
 * @property {boolean} flipped mirrored left-right before the rotation
 */

/**
 * Width and height of an image pixel on the screen at zoom 1; the shorter side is 1, so no pixel is lost at 1:1.
 * @param {[number, number]|null|undefined} aspect Pixel Aspect Ratio, vertical then horizontal (PS3.3 C.7.6.3.1.7)
 */
export function pixelShape(aspect) {
  const [vertical, horizontal] = aspect ?? [1, 1];
  if (!(vertical > 0 && horizontal > 0)) return { width: 1, height: 1 };
  if (Math.abs(vertical / horizontal - 1) < SAME_SIDES) return { width: 1, height: 1 };
  const least = Math.min(vertical, horizontal);
  return { width: horizontal / least, height: vertical / least };
}

/** The linear part: mirrored, turned and scaled, without translation. */
function linearPart({ zoom, rotation, flipped, shape }) {
  const scale = Affine.scaling(zoom * shape.width * (flipped ? -1 : 1), zoom * shape.height);
  return Affine.quarterTurns(rotation).after(scale);
}

/**
 * The map from image to viewport coordinates.
 * @param {object} view zoom, rotation, flipped, center {x, y} in image coordinates, shape of a pixel
 * @param {{width: number, height: number}} size of the viewport in device pixels
 */
export function imageToViewport(view, size) {
  const linear = linearPart(view);
  const centered = linear.after(Affine.translation(-view.center.x, -view.center.y));
  return Affine.translation(size.width / 2, size.height / 2).after(centered).onWholePixels();
}

/** Size of the whole image on the screen at zoom 1, turned as it is. */
export function turnedSize({ columns, rows, shape, rotation }) {
  const width = columns * shape.width;
  const height = rows * shape.height;
  return rotation % 180 === 0 ? { width, height } : { width: height, height: width };
}

/** The zoom at which the whole image just fits. */
export function fitZoom({ columns, rows, shape, rotation }, size) {
  const turned = turnedSize({ columns, rows, shape, rotation });
  return clampZoom(Math.min(size.width / turned.width, size.height / turned.height));
}

export function clampZoom(zoom) {
  if (!Number.isFinite(zoom)) return 1;
  return Math.min(Math.max(zoom, ZOOM_LIMITS.least), ZOOM_LIMITS.most);
}

/** The centre that keeps the image point under `point` (viewport) where it is when the zoom changes. */
export function centerForZoomAt(view, size, point, zoom) {
  const fixed = imageToViewport(view, size).inverse().apply(point.x, point.y);
  const offset = linearPart({ ...view, zoom }).inverse().apply(point.x - size.width / 2, point.y - size.height / 2);
  return { x: fixed.x - offset.x, y: fixed.y - offset.y };
}

/** The centre after the picture was dragged by (dx, dy) device pixels. */
export function centerForPan(view, dx, dy) {
  const moved = linearPart(view).inverse().apply(dx, dy);
  return { x: view.center.x - moved.x, y: view.center.y - moved.y };
}

/** Keeps the centre of the viewport on the image, so that a picture cannot be lost outside. */
export function keepOnImage(center, { columns, rows }) {
  return { x: Math.min(Math.max(center.x, 0), columns), y: Math.min(Math.max(center.y, 0), rows) };
}

/** @param {Placement} placement @param {number} degrees multiples of 90, clockwise */
export function rotated({ rotation, flipped }, degrees) {
  return { rotation: (((rotation + degrees) % 360) + 360) % 360, flipped };
}

/** Mirrors left and right as they are on the screen. */
export function flippedHorizontally({ rotation, flipped }) {
  return { rotation: (360 - rotation) % 360, flipped: !flipped };
}

/** Mirrors top and bottom as they are on the screen. */
export function flippedVertically({ rotation, flipped }) {
  return { rotation: (540 - rotation) % 360, flipped: !flipped };
}

/** In words, for as long as it lasts; empty when the image lies as it was sent. */
export function placementInWords({ rotation, flipped }) {
  if (!flipped) return rotation === 0 ? "" : `rotated ${rotation}°`;
  if (rotation === 0) return "flipped left-right";
  if (rotation === 180) return "flipped top-bottom";
  return `flipped, rotated ${rotation}°`;
}
