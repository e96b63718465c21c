/**
 * Orientation letters at the edges of a viewport: those of the image, turned and mirrored with it.
 */
const EDGES = Object.freeze(["top", "right", "bottom", "left"]);

/**
 * @param {{left: string, right: string, top: string, bottom: string}|null|undefined} edges of the image as it was sent
 * @param {import("./view_transform.js").Placement} placement
 * @returns {{left: string, right: string, top: string, bottom: string}|null} null: the image says nothing
 */
export function edgesOnScreen(edges, { rotation, flipped }) {
  if (!edges) return null;
  const mirrored = flipped ? { ...edges, left: edges.right, right: edges.left } : edges;
  const turns = rotation / 90;
  const turned = {};
  EDGES.forEach((name, index) => {
    turned[EDGES[(index + turns) % 4]] = mirrored[name] ?? "";
  });
  return turned;
}
