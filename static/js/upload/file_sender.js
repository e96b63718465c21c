/**
 * Sends one file as the body of a request of its own, and reads the answer line by line while it comes.
 * XMLHttpRequest, as fetch tells nothing of how far a body has been sent.
 */
import { ApiError } from "../core/api_error.js";
import { csrfToken, sentenceForStatus } from "../core/requests.js";

/** What the portal says of one file. @typedef {{verdict: string, words: string, name: string, SOPInstanceUID: string, StudyInstanceUID: string, members: number, indexed?: string[], error?: string}} Report */

/** The sentence of an answer that is no success. @param {XMLHttpRequest} request */
function errorOf(request) {
  const { status } = request;
  if (status === 0) return new ApiError("The portal cannot be reached, or the file changed while it was sent.");
  const isSignIn = status === 401 || new URL(request.responseURL).pathname.startsWith("/accounts/login/");
  if (isSignIn) return new ApiError("Your session has ended. Sign in again; what was taken stays.", { status: 401, expired: true });
  try {
    const { error } = JSON.parse(request.responseText);
    if (error) return new ApiError(error, { status });
  } catch {
    // An answer of something in between has no words of ours.
  }
  return new ApiError(sentenceForStatus(status), { status });
}

function isAnswer(request) {
  return request.status === 200 && (request.getResponseHeader("Content-Type") ?? "").startsWith("application/x-ndjson");
}

/**
 * @param {string} address
 * @param {File} file
 * @param {{batch: string, signal: AbortSignal, onSent: (bytes: number) => void, onReport: (report: Report) => void}} options
 * @returns {Promise<void>} settled when the whole answer has come; an ApiError, or an AbortError when cancelled
 */
export function sendFile(address, file, { batch, signal, onSent, onReport }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let read = 0;
    let failure = null;

    function takeLines() {
      if (!isAnswer(request)) return;
      const end = request.responseText.lastIndexOf("\n") + 1;
      for (const line of request.responseText.slice(read, end).split("\n")) {
        if (!line) continue;
        const report = JSON.parse(line);
        if (report.error) failure = new ApiError(report.error, { status: 507 });
        else onReport(report);
      }
      read = Math.max(read, end);
    }

    function stop() {
      request.abort();
    }

    function settle(act) {
      signal.removeEventListener("abort", stop);
      act();
    }

    request.upload.addEventListener("progress", (event) => onSent(event.loaded));
    request.addEventListener("progress", takeLines);
    request.addEventListener("load", () => settle(() => {
      takeLines();
      if (failure) reject(failure);
      else if (isAnswer(request)) resolve();
      else reject(errorOf(request));
    }));
    request.addEventListener("error", () => settle(() => reject(errorOf(request))));
    request.addEventListener("abort", () => settle(() => reject(new DOMException("Cancelled", "AbortError"))));
    if (signal.aborted) {
      reject(new DOMException("Cancelled", "AbortError"));
      return;
    }
    signal.addEventListener("abort", stop);
    request.open("PUT", address);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("X-Upload-Batch", batch);
    request.send(file);
  });
}
