/**
 * Watches the size of a canvas in device pixels: its backing store must have exactly one pixel for each of the screen's.
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {(size: {width: number, height: number, ratio: number}) => void} tell
 * @returns {() => void} stops watching
 */
export function watchSize(canvas, tell) {
  const observer = new ResizeObserver((entries) => {
    const entry = entries[entries.length - 1];
    const css = entry.contentRect;
    if (!css.width || !css.height) return;
    const ratio = globalThis.devicePixelRatio || 1;
    // Safari tells no device pixels: rounding the edges is the best that can be done there.
    const exact = entry.devicePixelContentBoxSize?.[0];
    const width = exact ? exact.inlineSize : Math.round(css.width * ratio);
    const height = exact ? exact.blockSize : Math.round(css.height * ratio);
    tell({ width, height, ratio: width / css.width });
  });
  try {
    observer.observe(canvas, { box: "device-pixel-content-box" });
  } catch {
    observer.observe(canvas);
  }
  return () => observer.disconnect();
}
