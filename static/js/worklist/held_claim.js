/**
 * Holds the claim that Enter on the worklist took, for as long as the study is open in this tab: a sign of life
 * every minute, and the study goes back to the list when the page is left. A study that was opened by a link, a
 * search or as a prior was not claimed and stays read-only.
 */
import { csrfToken, post } from "../core/requests.js";

const FRESH = "portal:worklist:claimed";
const HELD = "portal:worklist:held";
const SIGN_OF_LIFE_MS = 60_000;

/** Remembers that the study which this tab opens next was claimed. @param {string} study its UID */
export function claimIsFresh(study) {
  sessionStorage.setItem(FRESH, study);
}

/** Whether this page was opened by a claim, or is one that held it and was loaded again. */
function wasClaimed(study) {
  const isReload = performance.getEntriesByType("navigation")[0]?.type === "reload";
  return sessionStorage.getItem(FRESH) === study || (isReload && sessionStorage.getItem(HELD) === study);
}

/**
 * Events: "held", "lost" with the sentence as `detail` when somebody else has it now, and "ended" with the kind of
 * report as `detail` when a signature has ended it.
 */
export class HeldClaim extends EventTarget {
  #study;
  #timer = 0;
  /** Whether a text was begun: leaving the page then does not give the study back. */
  hasDraft = false;

  /** @param {string} study its UID */
  constructor(study) {
    super();
    this.#study = study;
  }

  get isHeld() {
    return this.#timer !== 0;
  }

  /** Takes up the claim where there is one. @returns {Promise<boolean>} whether this page holds the study */
  async connect() {
    const isExpected = this.isExpected;
    sessionStorage.removeItem(FRESH);
    return isExpected ? this.take() : false;
  }

  /** Whether the page was opened by a claim, before that is confirmed. */
  get isExpected() {
    return wasClaimed(this.#study);
  }

  /** Claims the study now. @returns {Promise<boolean>} whether this page holds it */
  async take() {
    if (this.isHeld) return true;
    try {
      await post(this.#address("claim"), {}, { background: true });
    } catch (error) {
      this.#lose(error);
      return false;
    }
    sessionStorage.setItem(HELD, this.#study);
    this.#timer = setInterval(this.#beat, SIGN_OF_LIFE_MS);
    addEventListener("pagehide", this.#leave);
    this.dispatchEvent(new Event("held"));
    return true;
  }

  /** Gives the study back, as leaving the page does. */
  disconnect() {
    if (!this.isHeld) return;
    this.#stop();
    this.#release();
  }

  /** The study was handed over: nothing is left to be given back. @param {string} words who reads it now */
  give(words) {
    this.#lose({ message: words });
  }

  /** A signature has ended the claim: nothing is left to be given back. @param {string} kind of the signed report */
  end(kind) {
    this.#stop();
    sessionStorage.removeItem(HELD);
    this.dispatchEvent(new CustomEvent("ended", { detail: kind }));
  }

  #address(action) {
    return `/studies/${this.#study}/${action}`;
  }

  #beat = async () => {
    try {
      await post(this.#address("claim-heartbeat"), {}, { background: true });
    } catch (error) {
      if (!error.isPassing) this.#lose(error);
    }
  };

  #leave = () => {
    this.#stop();
    if (!this.hasDraft) this.#release();
  };

  #release() {
    // The page may be gone before the answer comes: keepalive lets the request outlive it.
    const headers = { "X-CSRFToken": csrfToken() };
    fetch(this.#address("release"), { method: "POST", credentials: "same-origin", keepalive: true, headers }).catch(() => {
      // Nobody is left to be told; a claim without a sign of life ends by itself.
    });
  }

  #lose(error) {
    this.#stop();
    sessionStorage.removeItem(HELD);
    this.dispatchEvent(new CustomEvent("lost", { detail: error.message }));
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    removeEventListener("pagehide", this.#leave);
  }
}
