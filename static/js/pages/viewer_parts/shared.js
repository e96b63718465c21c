/**
 * The viewer of somebody who holds a link: fewer commands, and a cover as soon as the link is over.
 */
import { announce } from "../../core/announcer.js";
import { element } from "../../core/dom.js";
import { fetchJson } from "../../core/requests.js";

const ASKED_EVERY_MS = 3000;
/** What needs values, files or an account. */
const NOT_FOR_VISITORS = new Set([
  "tool-probe", "tool-length", "tool-angle", "tool-ellipse", "tool-rectangle", "tool-circle", "tool-polygon", "tool-freehand",
  "tool-bidirectional", "tool-cobb", "tool-arrow", "tool-text", "undo", "redo", "remove", "rename", "finish", "hide-marks",
  "key-image", "measures", "measure-tools", "report", "talk", "tags", "download", "process", "prior", "later", "hang-like-this", "states",
]);

/** @param {import("./commands.js").Command[]} commands */
export function ofVisitors(commands) {
  return commands.filter(({ id }) => !NOT_FOR_VISITORS.has(id) && !id.startsWith("nudge-"));
}

/**
 * Asks whether the link still runs; when it does not, the pictures go and a sentence comes.
 * @param {{alive: string, words: string}} shared
 */
export function watchShare({ alive, words }) {
  let timer = 0;
  const ask = async () => {
    clearTimeout(timer);
    try {
      await fetchJson(alive, { background: true });
    } catch (error) {
      if (error.status === 404) return end(words);
      // No network for a moment is no end.
    }
    timer = setTimeout(ask, ASKED_EVERY_MS);
  };
  document.addEventListener("visibilitychange", () => !document.hidden && ask());
  timer = setTimeout(ask, ASKED_EVERY_MS);
}

function end(words) {
  const place = element(
    "main",
    { class: "site-main", id: "content", tabindex: -1 },
    element("div", { class: "empty" }, element("h1", { text: "This link is not open" }), element("p", { text: words })),
  );
  document.body.replaceChildren(place);
  place.focus();
  announce(words);
}
