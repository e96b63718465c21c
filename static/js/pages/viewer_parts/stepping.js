/**
 * Stepping through a conference or teaching list: the keys do what the buttons in the header do.
 */

/** @param {HTMLElement|null} place where the buttons are @param {"next"|"previous"} which @returns {boolean} */
function press(place, which) {
  const button = place?.querySelector(`[data-step="${which}"]`);
  button?.click();
  return Boolean(button);
}

/**
 * The commands of a viewer that was opened from a list: its next entry takes the key of the next study.
 * @param {import("./commands.js").Command[]} commands
 * @param {HTMLElement|null} place null where there is no list
 * @returns {import("./commands.js").Command[]}
 */
export function withSteps(commands, place) {
  if (!place) return commands;
  const one = (id, label, key, which) => ({
    id,
    label,
    group: "Page",
    keys: [key],
    run: () => press(place, which),
    isPossible: () => Boolean(place.querySelector(`[data-step="${which}"]`)),
  });
  return [
    ...commands.filter(({ id }) => id !== "next-study"),
    one("next-case", "Next of the list", "n", "next"),
    one("previous-case", "Previous of the list", "Shift+n", "previous"),
  ];
}
