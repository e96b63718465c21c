/**
 * The list at the end: what was taken, what was there, what is held and what was refused, each with its reason.
 */
import { element, setText } from "../core/dom.js";
import { fetchJson, csrfToken } from "../core/requests.js";

const MOST_SHOWN = 200;
const ASKED_AT_ONCE = 2000;
const LOOK_EVERY_MS = 2000;
const MOST_LOOKS = 60;
const HEADINGS = {
  refused: "refused",
  "held for a look": "held for a look",
  "already there": "already there",
  index: "index files (DICOMDIR)",
};

export class UploadResult {
  #root;
  #outcome;
  #counts = new Map();
  #lines = new Map();
  #instances = new Set();
  #kept = new Set();
  #indexed = new Set();
  #timer = 0;
  #looks = 0;

  /** @param {HTMLElement} root @param {string} outcome address that tells what became of images */
  constructor(root, outcome) {
    this.#root = root;
    this.#outcome = outcome;
  }

  /** Begins a new list. */
  clear() {
    clearTimeout(this.#timer);
    this.#looks = 0;
    for (const kept of [this.#counts, this.#lines, this.#instances, this.#kept, this.#indexed]) kept.clear();
    this.#root.querySelector("[data-studies]").replaceChildren();
    setText(this.#root.querySelector("[data-settling]"), "");
    this.#root.hidden = true;
  }

  /** @param {import("./file_sender.js").Report} report */
  add(report) {
    this.#counts.set(report.verdict, (this.#counts.get(report.verdict) ?? 0) + 1);
    const lines = this.#lines.get(report.verdict) ?? [];
    if (lines.length < MOST_SHOWN) lines.push(report);
    this.#lines.set(report.verdict, lines);
    if (report.verdict !== "refused" && report.SOPInstanceUID) this.#kept.add(report.SOPInstanceUID);
    if (report.verdict === "taken" || report.verdict === "held for a look") this.#instances.add(report.SOPInstanceUID);
    for (const uid of report.indexed ?? []) this.#indexed.add(uid);
  }

  /** Shows the counts as they are; the lists follow at the end. */
  showCounts() {
    this.#root.hidden = false;
    for (const node of this.#root.querySelectorAll("[data-count]")) {
      setText(node, String(this.#counts.get(node.dataset.count) ?? 0));
    }
  }

  /** Everything was sent: says what an index named and did not bring, and waits until all is indexed. */
  finish() {
    const missing = [...this.#indexed].filter((uid) => !this.#kept.has(uid)).length;
    if (missing) {
      const words = `The index names ${missing} images that did not come with it, or were refused.`;
      this.add({ verdict: "refused", words, name: "DICOMDIR", SOPInstanceUID: "" });
    }
    this.showCounts();
    for (const group of this.#root.querySelectorAll("[data-group]")) this.#showGroup(group);
    this.#look();
  }

  #showGroup(group) {
    const verdict = group.dataset.group;
    const count = this.#counts.get(verdict) ?? 0;
    group.hidden = !count;
    setText(group.querySelector("summary"), `${count} ${HEADINGS[verdict]}`);
    const lines = (this.#lines.get(verdict) ?? []).map((report) =>
      element("li", {}, element("span", { class: "strong", text: report.name }), element("span", { text: report.words ? ` ${report.words}` : "" })),
    );
    if (count > lines.length) lines.push(element("li", { class: "muted", text: `and ${count - lines.length} more` }));
    group.querySelector("ul").replaceChildren(...lines);
  }

  async #look() {
    const uids = [...this.#instances];
    if (!uids.length) return;
    const found = { waiting: 0, held: 0, studies: new Map() };
    try {
      for (let start = 0; start < uids.length; start += ASKED_AT_ONCE) {
        await this.#ask(uids.slice(start, start + ASKED_AT_ONCE), found);
      }
    } catch {
      // The images are safe; only this page cannot tell more about them.
      setText(this.#root.querySelector("[data-settling]"), "All is safely kept; the portal does not say yet where it shows.");
      return;
    }
    this.#showStudies(found);
    if (found.waiting && ++this.#looks < MOST_LOOKS) this.#timer = setTimeout(() => this.#look(), LOOK_EVERY_MS);
  }

  async #ask(instances, found) {
    const answer = await fetchJson(this.#outcome, {
      method: "POST",
      body: JSON.stringify({ instances }),
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      background: true,
    });
    found.waiting += answer.waiting;
    found.held += Object.keys(answer.held).length;
    for (const study of answer.studies) {
      const known = found.studies.get(study.StudyInstanceUID);
      found.studies.set(study.StudyInstanceUID, { ...study, instances: study.instances + (known?.instances ?? 0) });
    }
  }

  #showStudies({ waiting, held, studies }) {
    const parts = [];
    if (waiting) parts.push(`${waiting} images are being indexed.`);
    if (held) parts.push(`${held} are held back for a technologist or an administrator.`);
    setText(this.#root.querySelector("[data-settling]"), parts.join(" "));
    const lines = [...studies.values()].map((study) => {
      const title = [study.date, study.modalities.join(" "), study.description].filter(Boolean).join(" ");
      const link = element("a", { href: `/studies/${study.StudyInstanceUID}/`, text: title || "Study" });
      return element("li", {}, link, element("span", { class: "muted figures", text: ` ${study.instances} images` }));
    });
    this.#root.querySelector("[data-studies]").replaceChildren(...lines);
  }
}
