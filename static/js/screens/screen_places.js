/**
 * Where another window of the viewer goes: onto a monitor that has none yet, where the browser tells of monitors.
 */

/**
 * @param {{left: number, top: number, width: number, height: number}[]} screens their usable parts
 * @param {number} current place of the screen of this window in the list
 * @param {number} number of the window that is opened, from 2
 * @returns {string} features for window.open; without a second monitor a window of the browser's own choice
 */
export function windowFeatures(screens, current, number) {
  const others = screens.filter((_screen, index) => index !== current).sort(byPlace);
  if (!others.length) return "noopener";
  const { left, top, width, height } = others[(number - 2) % others.length];
  return `popup,noopener,left=${left},top=${top},width=${width},height=${height}`;
}

/** From left to right, as monitors stand on a desk. */
function byPlace(one, other) {
  return one.left - other.left || one.top - other.top;
}

/** Features for the window of a number; a person who does not let the page know the monitors gets a plain window. */
export async function featuresHere(number, browser = globalThis) {
  if (!browser.screen?.isExtended || !browser.getScreenDetails) return windowFeatures([], 0, number);
  try {
    const { screens, currentScreen } = await browser.getScreenDetails();
    const parts = screens.map(({ availLeft: left, availTop: top, availWidth: width, availHeight: height }) => ({ left, top, width, height }));
    return windowFeatures(parts, screens.indexOf(currentScreen), number);
  } catch {
    return windowFeatures([], 0, number);
  }
}
