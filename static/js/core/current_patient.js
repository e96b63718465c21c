/**
 * One current patient for each browser: every window that shows a study says so to the others.
 *
 * Windows of one study follow each other to the next study; a window that is left on another patient is told, and covers
 * its pictures. What is kept names a patient by the portal's own number only.
 */
const CHANNEL = "portal-current-patient";
const KEY = "portal:current-patient";
const TAB_STUDY = "portal:tab-study";
const SIGNED_OUT = "portal-signed-out";
const SIGNING_OUT = "portal:signing-out";
const hasChannels = typeof BroadcastChannel !== "undefined";

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // Windows then cannot tell each other; each still names its patient on every image.
  }
}

/** Called when a person signs out: the page that follows tells the other windows. */
export function rememberSigningOut() {
  write(sessionStorage, SIGNING_OUT, true);
}

/** Called where nobody is signed in: the next person starts without a patient, and without the last one's windows. */
export function forgetCurrentPatient() {
  const wasSignedOut = read(sessionStorage, SIGNING_OUT);
  try {
    localStorage.removeItem(KEY);
    sessionStorage.clear();
  } catch {
    // Nothing was kept.
  }
  // An ended session is no signing out: its windows are covered and wait.
  if (wasSignedOut && hasChannels) new BroadcastChannel(SIGNED_OUT).postMessage(true);
}

/** Closes this window when the person signs out in another one; a window that may not be closed shows the sign-in page. */
export function closeAtSignOut(signIn) {
  if (!hasChannels) return;
  new BroadcastChannel(SIGNED_OUT).addEventListener("message", () => {
    window.close();
    location.replace(signIn);
  });
}

/** Events: "change" when this window becomes or stops being the current patient's, "follow" with the study to go to. */
export class CurrentPatient extends EventTarget {
  #patient;
  #study;
  #channel = hasChannels ? new BroadcastChannel(CHANNEL) : null;
  #isCurrent = true;

  /** @param {{patient: string|number, study: string}} shown patient by the portal's number, study by its UID */
  constructor({ patient, study }) {
    super();
    this.#patient = String(patient);
    this.#study = study;
    this.#channel?.addEventListener("message", ({ data }) => this.#heard(data));
    // A page that comes back out of the browser's memory has heard nothing in between.
    window.addEventListener("pageshow", (event) => event.persisted && this.#compare(read(localStorage, KEY)));
  }

  disconnect() {
    this.#channel?.close();
  }

  get isCurrent() {
    return this.#isCurrent;
  }

  /** This window's patient is the current one from now on. */
  claim() {
    // A new tab inherits the memory of the one that opened it, but has not left that study.
    const previous = history.length > 1 ? read(sessionStorage, TAB_STUDY) : null;
    write(sessionStorage, TAB_STUDY, this.#study);
    const said = { patient: this.#patient, study: this.#study, previous: previous === this.#study ? null : previous };
    write(localStorage, KEY, said);
    this.#channel?.postMessage(said);
    this.#set(true);
  }

  #heard(said) {
    if (said?.previous === this.#study && said.patient !== this.#patient) {
      this.dispatchEvent(new CustomEvent("follow", { detail: { study: said.study } }));
      return;
    }
    this.#compare(said);
  }

  #compare(said) {
    this.#set(!said?.patient || said.patient === this.#patient);
  }

  #set(isCurrent) {
    if (isCurrent === this.#isCurrent) return;
    this.#isCurrent = isCurrent;
    this.dispatchEvent(new Event("change"));
  }
}
