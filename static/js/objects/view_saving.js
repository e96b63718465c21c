/**
 * The present view of a viewport as values for a presentation state, and the request that saves it.
 */
import { post } from "../core/requests.js";
import { seenOf, windowOn } from "../viewport/view_state.js";

/**
 * Window, turn and the part of the image that is seen.
 * @param {import("../viewport/viewport.js").Viewport} viewport
 */
export function viewOf(viewport) {
  const { manifest, view, frame, size, transform } = viewport;
  const { left, top, right, bottom } = seenOf(transform, size);
  const window = manifest.color ? null : windowOn(view, manifest, frame);
  const isKnown = Number.isFinite(window?.center) && Number.isFinite(window?.width);
  return {
    rotation: view.rotation,
    flipped: view.flipped,
    inverted: Boolean(view.inverted),
    area: [left, top, right, bottom],
    window: isKnown ? { center: window.center, width: window.width, function: window.function ?? "linear" } : null,
    description: "View of a reader",
  };
}

/** Asks the portal to write the view of the frame that is shown; an ApiError says why it does not. */
export async function saveView(viewport) {
  await post(`/api/stacks/${viewport.manifest.stack}/frames/${viewport.frame}/view`, viewOf(viewport));
}
