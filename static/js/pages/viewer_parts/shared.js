/**
 * The viewer of somebody who holds a link: fewer commands, words that say what it is not for, and a cover as soon as the
 * link is over.
 */
import { announce } from "../../core/announcer.js";
import { element } from "../../core/dom.js";
import { fetchJson } from "../../core/requests.js";

const ASKED_EVERY_MS = 3000;
/** What needs no values, no files and no account; what is not named here is not there. */
const FOR_VISITORS = new Set([
  "tool-window", "tool-pan", "tool-zoom", "tool-scroll", "windows", "window-auto", "window-stack", "invert", "wider", "narrower",
  "level-up", "level-down", "fit", "one-to-one", "zoom-in", "zoom-out", "rotate", "rotate-back", "flip-horizontal", "flip-vertical",
  "reset", "pan-left", "pan-right", "pan-up", "pan-down", "squares", "next", "previous", "first", "last", "next-series",
  "previous-series", "cine", "cine-rate", "slower", "faster", "link", "links", "lines", "layout", "maximise", "text", "texts", "menu", "help", "cancel",
]);

/** @param {import("./commands.js").Command[]} commands */
export function ofVisitors(commands) {
  return commands.filter(({ id }) => FOR_VISITORS.has(id) || /^preset-\d$/.test(id));
}

/**
 * Says over every picture that it is not for diagnosis: to whoever holds a link, and on a phone where the site says so.
 * @param {HTMLElement} container of the viewports
 * @param {{shared?: object, phones_diagnose?: boolean}} data of the page
 */
export function markNotForDiagnosis(container, { shared, phones_diagnose: phonesDiagnose = false }) {
  const isPhone = matchMedia("(pointer: coarse) and ((max-width: 40rem) or (max-height: 30rem))");
  const mark = () => {
    const isMarked = Boolean(shared) || (isPhone.matches && !phonesDiagnose);
    container.classList.toggle("viewports-not-for-diagnosis", isMarked);
    const note = document.getElementById("not-for-diagnosis");
    if (note) note.hidden = !isMarked;
  };
  isPhone.addEventListener("change", mark);
  mark();
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
