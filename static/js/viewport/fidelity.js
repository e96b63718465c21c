/**
 * How true the picture on the screen is, as a mark and a word.
 */
export const FIDELITY = Object.freeze({
  none: { mark: "", word: "", sentence: "" },
  loading: { mark: "◌", word: "loading", sentence: "The picture asked for is on its way; what is shown may be an earlier one." },
  reduced: { mark: "◐", word: "reduced", sentence: "A reduced picture; the full one is on its way." },
  lossy: { mark: "≈", word: "lossy", sentence: "All that the file holds; its pixels were compressed with loss before they were sent." },
  full: { mark: "●", word: "full", sentence: "The full picture." },
});

/** @param {import("./viewport.js").Viewport} viewport */
export function fidelityOf(viewport) {
  const found = FIDELITY[viewport.fidelity];
  const lossy = viewport.manifest?.lossy;
  return viewport.fidelity === "lossy" && typeof lossy === "string" && lossy ? { ...found, word: lossy } : found;
}
