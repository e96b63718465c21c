/**
 * Dictation by the browser, where it offers it and the site allows it. The portal gets the words only, as typed text;
 * where the sound goes is the browser's own affair, and is said beside the button.
 */
import { announce } from "../core/announcer.js";
import { element, setText } from "../core/dom.js";

const PROBLEMS = {
  "not-allowed": "The browser does not let this page use the microphone.",
  "service-not-allowed": "The browser does not take dictation.",
  "audio-capture": "There is no microphone.",
  network: "The browser cannot reach what understands speech for it.",
  "language-not-supported": "The browser does not understand this language.",
};

/** What the browser offers; null where it takes no dictation. */
export function recognitionOf(scope = globalThis) {
  return scope.SpeechRecognition ?? scope.webkitSpeechRecognition ?? null;
}

/** What was said for good since the last look. @param {{resultIndex: number, results: object[]}} event */
export function finalWords({ resultIndex, results }) {
  return Array.from(results).slice(resultIndex).filter((result) => result.isFinal).map((result) => result[0].transcript.trim()).filter(Boolean).join(" ");
}

export class Dictation {
  #Recognition;
  #target;
  #running = null;
  #note = element("span", { class: "report-dictation-note muted" });
  #button = element("button", { class: "button", type: "button", text: "Dictate", "aria-pressed": "false", onclick: () => this.toggle() });
  element = element("div", { class: "report-dictation", hidden: true }, this.#button, this.#note);

  /** @param {() => import("./section_field.js").SectionField|null} target where words go @param {Function|null} [Recognition] */
  constructor(target, Recognition = recognitionOf()) {
    this.#target = target;
    this.#Recognition = Recognition;
  }

  /** Shown where something can be typed, the site allows it and the browser can. */
  show(isPossible) {
    this.element.hidden = !isPossible || !this.#Recognition;
    if (this.element.hidden) this.#running?.stop();
    if (!this.#running) setText(this.#note, "The browser listens; it may send the sound to its maker.");
  }

  toggle() {
    if (this.#running) this.#running.stop();
    else this.#start();
  }

  #start() {
    const running = new this.#Recognition();
    Object.assign(running, { continuous: true, interimResults: true, lang: navigator.language });
    running.addEventListener("result", (event) => this.#heard(event));
    running.addEventListener("error", ({ error }) => setText(this.#note, PROBLEMS[error] ?? "Nothing was understood."));
    running.addEventListener("end", () => this.#ended(running));
    this.#running = running;
    this.#button.setAttribute("aria-pressed", "true");
    setText(this.#button, "Stop dictating");
    setText(this.#note, "Listening");
    running.start();
  }

  #heard(event) {
    const words = finalWords(event);
    if (words) this.#target()?.insert(words);
    setText(this.#note, words ? "Listening" : Array.from(event.results).at(-1)?.[0]?.transcript ?? "");
  }

  #ended(running) {
    if (this.#running !== running) return;
    this.#running = null;
    this.#button.setAttribute("aria-pressed", "false");
    setText(this.#button, "Dictate");
    announce("Dictation has ended.");
  }
}
