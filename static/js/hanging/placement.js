/**
 * How a picture is turned so that its edges carry certain letters: by what the file says, never by looking at pixels.
 */
import { edgesOnScreen } from "../geometry/orientation_letters.js";

/** Unflipped ones first: a picture is mirrored only where turning does not do. */
const PLACEMENTS = Object.freeze(
  [false, true].flatMap((flipped) => [0, 90, 180, 270].map((rotation) => Object.freeze({ rotation, flipped }))),
);

/**
 * @param {{left: string, right: string, top: string, bottom: string}|null} edges of the image as it was sent
 * @param {Partial<Record<"top"|"right", string>>} wanted letters that edges must begin with
 * @returns {import("../geometry/view_transform.js").Placement|null} null where none of the eight does
 */
export function placementFor(edges, wanted) {
  const isMet = (placement) => {
    const shown = edgesOnScreen(edges, placement);
    return shown !== null && Object.entries(wanted).every(([edge, letter]) => shown[edge].startsWith(letter));
  };
  return PLACEMENTS.find(isMet) ?? null;
}
