/**
 * The addresses of one study's report.
 */
import { csrfToken, fetchJson, request, sendJson } from "../core/requests.js";

export class ReportApi {
  #base;
  #critical;
  #patient;
  study;

  /** @param {{study: string, patient: number}} shown the study's UID, the portal's number of the patient shown */
  constructor({ study, patient }) {
    this.study = study;
    this.#base = `/api/studies/${study}/report`;
    this.#critical = `/api/studies/${study}/critical`;
    this.#patient = patient;
  }

  /** State, text and rights of this person. */
  load() {
    return fetchJson(this.#base);
  }

  /** Reports from elsewhere and of priors, as HTML. */
  async beside() {
    return (await request(`/studies/${this.study}/report/beside/`)).text();
  }

  writingAids() {
    return fetchJson(`${this.#base}/writing-aids`);
  }

  /**
   * Keeps sections of the draft, and which of their words are measurements.
   * @param {Record<string, string>} text @param {number} number of the draft that this window has
   * @returns {Promise<{number: number, saved_at: string}>}
   */
  async save(text, number, { isLeaving = false, patientConfirmed = false, putsBack = false, measurements = [] } = {}) {
    const response = await request(this.#base, {
      method: "PUT",
      keepalive: isLeaving,
      headers: { ...this.#headers(number), "X-CSRFToken": csrfToken(), "Content-Type": "application/json" },
      body: JSON.stringify({ text, patient: this.#patient, patient_confirmed: patientConfirmed, puts_back: putsBack, measurements }),
    });
    return response.json();
  }

  /** @param {"preliminary"|"final"|"addendum"} kind @param {{password: string, code: string}} proof */
  async sign(kind, number, proof) {
    const address = kind === "addendum" ? `${this.#base}/addendum` : `${this.#base}/sign`;
    const headers = { ...this.#headers(number), "X-CSRFToken": csrfToken(), "Content-Type": "application/json" };
    const body = JSON.stringify({ kind, patient: this.#patient, ...proof });
    return (await request(address, { method: "POST", headers, body })).json();
  }

  /** Critical results of the study, and what can be chosen to flag one. */
  critical(options = {}) {
    return fetchJson(this.#critical, options);
  }

  /** @param {{category: number, text: string, recipient: number, at_once: boolean}} asked */
  flagCritical(asked) {
    return sendJson(this.#critical, { ...asked, patient: this.#patient });
  }

  /** @param {number} result @param {"tell"|"withdraw"|"acknowledge"} action */
  criticalAction(result, action) {
    return sendJson(`${this.#critical}/${result}/${action}`, {});
  }

  #headers(number) {
    return { "If-Match": `"${number}"` };
  }
}
