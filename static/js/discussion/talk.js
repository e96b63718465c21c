/**
 * What was said about a study: read every few seconds while somebody looks, and changed by the same address.
 */
import { fetchJson, sendJson } from "../core/requests.js";
import { Watcher } from "../core/watcher.js";

const LOOK_EVERY_MS = 4000;

/** Events: "change". */
export class Talk extends EventTarget {
  #url;
  #fetch;
  #send;
  #watcher = new Watcher(() => this.load(), LOOK_EVERY_MS);
  #text = "";
  #told = { threads: [], consultations: [], readers: [] };

  /** @param {string} study its UID @param {{fetch?: Function, send?: Function}} [options] */
  constructor(study, { fetch = fetchJson, send = sendJson } = {}) {
    super();
    this.#url = `/api/studies/${study}`;
    this.#fetch = fetch;
    this.#send = send;
  }

  get threads() {
    return this.#told.threads;
  }

  get consultations() {
    return this.#told.consultations;
  }

  get readers() {
    return this.#told.readers;
  }

  /** Looks for news until it is told to stop. */
  connect() {
    this.#watcher.connect();
    this.#watcher.look();
  }

  disconnect() {
    this.#watcher.disconnect();
  }

  async load() {
    this.#take(await this.#fetch(`${this.#url}/talk`, { background: true }));
  }

  /** @param {object} remark text, and thread or what it is about */
  async say(remark) {
    this.#take(await this.#send(`${this.#url}/talk`, remark));
  }

  /** @param {number} remark @param {"resolve"|"reopen"|"remove"|"restore"} action */
  async act(remark, action) {
    this.#take(await this.#send(`${this.#url}/talk/${remark}/${action}`, {}));
  }

  /** Asks another reader to look. @param {string} reader user name @param {string} question */
  async ask(reader, question) {
    this.#take(await this.#send(`${this.#url}/consultations`, { reader, question }));
  }

  /** @param {number} consultation */
  async looked(consultation) {
    this.#take(await this.#send(`${this.#url}/consultations/${consultation}/looked`, {}));
  }

  #take(told) {
    const text = JSON.stringify(told);
    if (text === this.#text) return;
    this.#text = text;
    this.#told = told;
    this.dispatchEvent(new Event("change"));
  }
}
