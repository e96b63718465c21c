/**
 * What is typed may be a name, so it is in no address: it is kept with this entry of the tab's history, for the
 * person who typed it, and comes back with the Back key.
 */

/** @param {HTMLInputElement} text @param {string} user id of the person who is signed in */
export function keepText(text, user) {
  history.replaceState({ ...history.state, worklistText: text.value, worklistUser: user }, "");
}

/**
 * Puts back what was typed here before.
 * @returns {boolean} whether there was something
 */
export function bringBackText(text, user) {
  const kept = history.state;
  if (!kept?.worklistText || kept.worklistUser !== user || text.value) return false;
  text.value = kept.worklistText;
  return true;
}
