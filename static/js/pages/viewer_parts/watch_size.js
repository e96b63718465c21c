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
    if (entry.contentRect.width && entry.contentRect.height) tell(deviceSize(canvas, entry));
  });
  try {
    observer.observe(canvas, { box: "device-pixel-content-box" });
  } catch {
    observer.observe(canvas);
  }
  return () => observer.disconnect();
}

function deviceSize(canvas, entry) {
  const ratio = globalThis.devicePixelRatio || 1;
  const css = canvas.getBoundingClientRect();
  // Edges are snapped to device pixels, so the size is the distance between snapped edges.
  const computed = {
    width: Math.round(css.right * ratio) - Math.round(css.left * ratio),
    height: Math.round(css.bottom * ratio) - Math.round(css.top * ratio),
  };
  const told = entry.devicePixelContentBoxSize?.[0];
  const exact = told && { width: told.inlineSize, height: told.blockSize };
  // Safari tells no device pixels, and an emulated pixel ratio tells those of the emulator.
  const isUsable = exact && Math.abs(exact.width - css.width * ratio) < 2 && Math.abs(exact.height - css.height * ratio) < 2;
  return { ...(isUsable ? exact : computed), ratio };
}
