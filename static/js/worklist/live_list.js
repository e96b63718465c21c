/**
 * Looks for changes every few seconds while the page can be seen, and says when it no longer can.
 */
import { setText } from "../core/dom.js";
import { parse, replaceList, takeCounts, updateInPlace } from "./merge_list.js";

const LOOK_EVERY_MS = 3000;
const ANSWERS = ["htmx:afterRequest", "htmx:sendError", "htmx:timeout"];

export class LiveList extends EventTarget {
  #list;
  #form;
  #poll;
  #status;
  #news;
  #waiting = null;
  #pointed = false;
  #timer = 0;

  /**
   * @param {{list: HTMLElement, form: HTMLElement, poll: HTMLElement, status: HTMLElement, news: HTMLElement}} parts
   *   poll: the element whose htmx request asks the server
   */
  constructor({ list, form, poll, status, news }) {
    super();
    this.#list = list;
    this.#form = form;
    this.#poll = poll;
    this.#status = status;
    this.#news = news;
  }

  connect() {
    this.#list.addEventListener("pointermove", this.#point);
    this.#list.addEventListener("pointerleave", this.#leave);
    this.#list.addEventListener("focusout", this.#leave);
    this.#poll.addEventListener("htmx:beforeSwap", this.#take);
    for (const asking of [this.#poll, this.#form, this.#list]) {
      for (const event of ANSWERS) asking.addEventListener(event, this.#tell);
    }
    this.#news.querySelector("button").addEventListener("click", this.#show);
    document.addEventListener("visibilitychange", this.look);
    this.#timer = setInterval(this.look, LOOK_EVERY_MS);
  }

  disconnect() {
    clearInterval(this.#timer);
    this.#list.removeEventListener("pointermove", this.#point);
    this.#list.removeEventListener("pointerleave", this.#leave);
    this.#list.removeEventListener("focusout", this.#leave);
    this.#poll.removeEventListener("htmx:beforeSwap", this.#take);
    for (const asking of [this.#poll, this.#form, this.#list]) {
      for (const event of ANSWERS) asking.removeEventListener(event, this.#tell);
    }
    this.#news.querySelector("button").removeEventListener("click", this.#show);
    document.removeEventListener("visibilitychange", this.look);
  }

  /** Asks the server now; not while nobody can see the page. */
  look = () => {
    if (document.visibilityState === "visible") window.htmx.trigger(this.#poll, "portal:look");
  };

  /** Whether moving a row could move it from under the reader's pointer or away from their keys. */
  get isHeld() {
    return this.#pointed || Boolean(document.activeElement?.closest(".worklist-row"));
  }

  /** What waited is overtaken: the list was drawn anew by a filter or a page. */
  forget() {
    this.#waiting = null;
    this.#announce(0);
  }

  #point = (event) => {
    this.#pointed = event.pointerType === "mouse" && Boolean(event.target.closest?.(".worklist-row"));
  };

  #leave = (event) => {
    if (event.type === "pointerleave") this.#pointed = false;
    // The focus has not arrived elsewhere yet.
    queueMicrotask(() => {
      if (this.#waiting && !this.isHeld) this.#apply();
    });
  };

  #take = (event) => {
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status === 204) this.#keepSeen(event.detail.xhr.getResponseHeader("X-Worklist-Seen"));
    if (event.detail.xhr.status !== 200) return;
    const html = event.detail.xhr.responseText;
    const answer = parse(html);
    takeCounts(answer);
    if (!this.isHeld) {
      this.#replace(answer);
      return;
    }
    const { inserted, waiting } = updateInPlace(this.#list, answer);
    this.#waiting = html;
    this.#seen(answer);
    this.#announce(inserted + waiting);
    this.dispatchEvent(new Event("update"));
  };

  #tell = (event) => {
    const isAnswer = event.type === "htmx:afterRequest";
    // Status 0 is a request that another overtook; one that failed has an event of its own.
    if (isAnswer && !event.detail.xhr?.status) return;
    const isLive = isAnswer && event.detail.successful;
    const clock = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    this.#status.classList.toggle("is-stale", !isLive);
    setText(this.#status.querySelector("[data-live-text]"), isLive ? clock : `not live since ${this.#lastClock}`);
    if (isLive) this.#lastClock = clock;
  };

  #lastClock = "the page was opened";

  #show = () => {
    if (this.#waiting) this.#apply();
    this.#announce(0);
    this.#list.scrollTop = 0;
  };

  #apply() {
    const answer = parse(this.#waiting);
    for (const part of answer.querySelectorAll("[hx-swap-oob]")) part.remove();
    this.#replace(answer);
  }

  #replace(answer) {
    this.#waiting = null;
    // Where the list is scrolled, what came in is above: the button leads there.
    if (this.#list.scrollTop === 0) this.#announce(0);
    replaceList(this.#list, answer);
    window.htmx.process(this.#list);
    this.dispatchEvent(new Event("update"));
  }

  /** The next look compares with this answer, though not all of it is shown. */
  #seen(answer) {
    this.#keepSeen(answer.querySelector("[name=seen]")?.value);
  }

  #keepSeen(value) {
    const kept = this.#list.querySelector("[name=seen]");
    if (value && kept) kept.value = value;
  }

  #announce(count) {
    this.#news.hidden = !count;
    setText(this.#news.querySelector("button"), count ? `${count} new ${count === 1 ? "study" : "studies"}` : "");
  }
}
