/**
 * Keys act only while the focus is in a viewport.
 */

/** A key press as the table of commands writes it: "w", "Shift+r", "Ctrl+z", "Space", "ArrowUp". */
export function keyName({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  const isLetter = /^\p{L}$/u.test(key);
  const name = key === " " ? "Space" : isLetter ? key.toLowerCase() : key;
  // The shift of "?" or "+" is part of the character.
  const hasShift = shiftKey && (isLetter || name.length > 1);
  return [ctrlKey || metaKey ? "Ctrl" : "", altKey ? "Alt" : "", hasShift ? "Shift" : "", name].filter(Boolean).join("+");
}

/** For people: "Shift R", "Space", "→". */
export function keyForPeople(name) {
  const words = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc", Delete: "Del" };
  return name
    .split(/(?<=.)\+/)
    .map((part) => words[part] ?? part)
    .join(" ");
}

/** @param {import("./commands.js").Command[]} commands @returns {Map<string, object>} */
export function bindings(commands) {
  const table = new Map();
  for (const command of commands) for (const key of command.keys ?? []) table.set(key, command);
  return table;
}

/**
 * @param {HTMLElement} container of the viewports
 * @param {import("./commands.js").Command[]} commands
 */
export function listenForKeys(container, commands) {
  container.addEventListener("keydown", (event) => {
    if (event.isComposing || !event.target.closest?.(".viewport")) return;
    const command = bindings(commands).get(keyName(event));
    if (!command) return;
    event.preventDefault();
    if (command.isPossible && !command.isPossible()) return;
    command.run();
  });
}
