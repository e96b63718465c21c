/**
 * What a reader has done to a stack in a viewport, apart from which frame is shown: plain values, never changed in place.
 */
import {
  centerForPan,
  centerForZoomAt,
  clampZoom,
  fitZoom,
  imageToViewport,
  keepOnImage,
  pixelShape,
} from "../geometry/view_transform.js";
import { stackWindow } from "./window_choice.js";

/**
 * @typedef {object} ViewState
 * @property {import("./window_choice.js").WindowChoice} window
 * @property {boolean} inverted
 * @property {0|90|180|270} rotation
 * @property {boolean} flipped
 * @property {"fit"|number} zoom device pixels for an image pixel, or as large as the viewport allows
 * @property {{x: number, y: number}} center in image coordinates
 */

/** The stack as it is first shown. @returns {ViewState} */
export function firstView(manifest) {
  return {
    window: stackWindow(manifest),
    inverted: Boolean(manifest.inverted),
    rotation: 0,
    flipped: false,
    zoom: "fit",
    center: middleOfImage(manifest),
  };
}

export function middleOfImage(manifest) {
  return { x: manifest.Columns / 2, y: manifest.Rows / 2 };
}

/** The view with its zoom as a number, for a viewport of this size. */
export function resolved(view, manifest, size) {
  const shape = pixelShape(manifest.PixelAspectRatio);
  const zoom = view.zoom === "fit" ? fitZoom({ columns: manifest.Columns, rows: manifest.Rows, shape, ...view }, size) : view.zoom;
  const center = view.zoom === "fit" ? middleOfImage(manifest) : view.center;
  return { ...view, zoom, center, shape };
}

/** From image to viewport. */
export function transformOf(view, manifest, size) {
  return imageToViewport(resolved(view, manifest, size), size);
}

/** The part of the image that is seen, in image coordinates. */
export function seenOf(transform, size) {
  return transform.inverse().boundsOf({ left: 0, top: 0, right: size.width, bottom: size.height });
}

export function panned(view, manifest, size, dx, dy) {
  const now = resolved(view, manifest, size);
  const center = keepOnImage(centerForPan(now, dx, dy), { columns: manifest.Columns, rows: manifest.Rows });
  return { ...view, zoom: now.zoom, center };
}

export function zoomedAt(view, manifest, size, point, factor) {
  const now = resolved(view, manifest, size);
  const zoom = clampZoom(now.zoom * factor);
  const center = centerForZoomAt(now, size, point, zoom);
  return { ...view, zoom, center: keepOnImage(center, { columns: manifest.Columns, rows: manifest.Rows }) };
}

/** One image pixel on one device pixel, around the middle of what is seen. */
export function oneToOne(view, manifest, size) {
  const now = resolved(view, manifest, size);
  return { ...view, zoom: 1, center: now.center };
}
