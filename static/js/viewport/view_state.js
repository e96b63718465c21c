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
import { isStateAbout } from "./tile_address.js";
import { stackWindow } from "./window_choice.js";

/**
 * @typedef {object} ViewState
 * @property {import("./window_choice.js").WindowChoice} window
 * @property {boolean} inverted
 * @property {string} presentationState SOP Instance UID of the state that says how the images look; empty for none
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
    presentationState: "",
    rotation: 0,
    flipped: false,
    zoom: "fit",
    center: middleOfImage(manifest),
  };
}

/**
 * The view that a presentation state asks for in a frame, as the stack's manifest tells it; null where the state is not
 * about the frame. Areas that are fitted or of true size are as large as the viewport allows.
 * @param {object} state an entry of the manifest's presentation_states
 * @param {number} frame from 1
 */
export function statedView(manifest, state, frame, size) {
  const stated = state.views[state.frames[frame - 1]];
  if (!stated) return null;
  const { rotation, flipped, area } = stated;
  const shape = pixelShape(manifest.PixelAspectRatio);
  const whole = { columns: area.right - area.left, rows: area.bottom - area.top, shape, rotation };
  const fitted = area.left <= 0 && area.top <= 0 && area.right >= manifest.Columns && area.bottom >= manifest.Rows ? "fit" : fitZoom(whole, size);
  return {
    window: stateWindow(state),
    inverted: false,
    presentationState: state.SOPInstanceUID,
    rotation,
    flipped,
    zoom: stated.mode === "MAGNIFY" ? clampZoom(stated.magnification) : fitted,
    center: { x: (area.left + area.right) / 2, y: (area.top + area.bottom) / 2 },
  };
}

/** What a state's own grey levels are called; with numbers where they are those of all its images. */
export function stateWindow({ views, ContentLabel: label }) {
  const numbers = views.length === 1 ? views[0].window : null;
  return { key: null, ...numbers, name: `presentation state ${label}`.trim() };
}

/** The window of a view that has chosen none: that of its presentation state, else the stack's. */
export function ownWindow({ presentationState }, manifest) {
  const state = presentationState && manifest.presentation_states.find((one) => one.SOPInstanceUID === presentationState);
  return state ? stateWindow(state) : stackWindow(manifest);
}

/** The window that is seen on a frame: a presentation state has none for images that it is not about. */
export function windowOn({ window, presentationState }, manifest, frame) {
  const isStates = presentationState && window.key === null;
  return isStates && !isStateAbout(manifest, presentationState, frame) ? stackWindow(manifest) : window;
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
