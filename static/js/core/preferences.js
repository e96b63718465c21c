/**
 * A person's choices in this browser: tool, layout, direction of the window drag. Never anything of a patient.
 */
const PREFIX = "portal:preference:";

/** @param {string} name @param {unknown} fallback */
export function preference(name, fallback) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/** @param {string} name @param {unknown} value */
export function setPreference(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows pictures.
  }
}
