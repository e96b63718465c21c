/**
 * Files that wait to be sent, a few at a time; counts what was sent, and can be cancelled as a whole.
 */
import { isAbort } from "../core/api_error.js";
import { notAnImage } from "./file_kind.js";
import { sendFile } from "./file_sender.js";

const AT_ONCE = 2;

function newBatch() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Events: "progress"; "report" with {name, ...report} for each file and each member of a ZIP file;
 * "end" with {error, cancelled}.
 */
export class UploadQueue extends EventTarget {
  #address;
  #limit;
  #waiting = [];
  #sending = new Map();
  #sentBefore = 0;
  #abort = null;
  #batch = "";

  filesDone = 0;
  filesTotal = 0;
  bytesTotal = 0;
  /** Members of the ZIP file that is being unpacked, and how many of them are done. */
  members = { done: 0, total: 0 };

  /** @param {{address: string, limit: number}} options limit: bytes of the largest file */
  constructor({ address, limit }) {
    super();
    this.#address = address;
    this.#limit = limit;
  }

  get isRunning() {
    return this.#abort !== null;
  }

  get bytesSent() {
    let sent = this.#sentBefore;
    for (const entry of this.#sending.values()) sent += entry.sent;
    return sent;
  }

  /** Names of the files that are on their way. */
  get current() {
    return [...this.#sending.keys()].map((item) => item.name);
  }

  /** Files that have yet to be sent. */
  get left() {
    return this.#waiting.length;
  }

  /** @param {import("./file_finder.js").FoundFile[]} files */
  add(files) {
    if (!this.isRunning && !this.#waiting.length) this.#forget();
    this.#waiting.push(...files);
    this.filesTotal += files.length;
    for (const { file } of files) this.bytesTotal += file.size;
    this.#tell();
  }

  /** Sends what waits; settled when all is sent, cancelled or stopped. */
  async run() {
    if (this.isRunning) return;
    this.#abort = new AbortController();
    let error = null;
    const work = async () => {
      while (this.#waiting.length && !this.#abort.signal.aborted) {
        const item = this.#waiting.shift();
        try {
          await this.#send(item);
        } catch (failure) {
          if (!isAbort(failure)) error ??= failure;
          this.#waiting.unshift(item);
          // What hindered one file would hinder the next as well; what is under way elsewhere may end.
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const cancelled = this.#abort.signal.aborted;
    this.#abort = null;
    if (cancelled) this.#waiting = [];
    this.#tell();
    this.dispatchEvent(new CustomEvent("end", { detail: { error, cancelled } }));
  }

  cancel() {
    this.#abort?.abort();
    this.#waiting = [];
  }

  #forget() {
    Object.assign(this, { filesDone: 0, filesTotal: 0, bytesTotal: 0, members: { done: 0, total: 0 } });
    this.#sentBefore = 0;
    this.#batch = newBatch();
  }

  async #send(item) {
    const words = await this.#refusedHere(item.file);
    if (words) {
      this.#report(item, { verdict: "refused", words, name: "", SOPInstanceUID: "", StudyInstanceUID: "", members: 0 });
    } else {
      const entry = { sent: 0 };
      this.#sending.set(item, entry);
      this.#tell();
      try {
        await sendFile(this.#address, item.file, {
          batch: this.#batch,
          signal: this.#abort.signal,
          onSent: (bytes) => {
            entry.sent = Math.min(bytes, item.file.size);
            this.#tell();
          },
          onReport: (report) => this.#report(item, report),
        });
      } finally {
        this.#sending.delete(item);
      }
    }
    this.#sentBefore += item.file.size;
    this.filesDone += 1;
    this.members = { done: 0, total: 0 };
    this.#tell();
  }

  async #refusedHere(file) {
    if (file.size > this.#limit) return "It is larger than this site takes in one upload.";
    try {
      return await notAnImage(file);
    } catch {
      return "Your browser cannot read it: was it moved or removed?";
    }
  }

  #report(item, report) {
    if (report.members) this.members = { done: this.members.done + 1, total: report.members };
    const name = report.name ? `${item.name}: ${report.name}` : item.name;
    this.dispatchEvent(new CustomEvent("report", { detail: { ...report, name } }));
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("progress"));
  }
}
