/**
 * The one error of a request to the portal: what the answer was, in words that can be shown.
 */
export class ApiError extends Error {
  /**
   * @param {string} message a sentence for people
   * @param {{status?: number, expired?: boolean, answer?: object|null}} [facts] status 0: there was no answer at all;
   *   answer: what else the portal said of the refusal
   */
  constructor(message, { status = 0, expired = false, answer = null } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.expired = expired;
    this.answer = answer;
  }

  /** Whether asking again a little later can help. */
  get isPassing() {
    return !this.expired && (this.status === 0 || this.status === 429 || this.status >= 500);
  }
}

/** @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}
