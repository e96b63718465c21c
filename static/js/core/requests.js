/**
 * Requests to the portal itself: JSON and pictures, one error, and one event when the session has ended.
 */
import { ApiError } from "./api_error.js";

/** Tells the page that nobody is signed in any more: an event "expired". */
export const session = new EventTarget();

const LOGIN_PATH = "/accounts/login/";
const LONGEST_SENTENCE = 400;

/** @param {Response} response */
function isSignedOut(response) {
  return response.status === 401 || (response.redirected && new URL(response.url).pathname.startsWith(LOGIN_PATH));
}

/** Reads an answer that is no success: its sentence, in JSON by one of the usual names or as plain text, and the JSON. */
async function refusalOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  try {
    if (type.includes("json")) {
      const answer = await response.json();
      const text = answer.error ?? answer.detail ?? answer.message ?? answer.reason;
      if (typeof text === "string" && text) return { text: text.slice(0, LONGEST_SENTENCE), answer };
    } else if (type.startsWith("text/plain")) {
      const text = (await response.text()).trim();
      if (text) return { text: text.slice(0, LONGEST_SENTENCE), answer: null };
    }
  } catch {
    // An answer cut short has no sentence; the status still has one.
  }
  return { text: sentenceForStatus(response.status), answer: null };
}

/** @param {number} status */
export function sentenceForStatus(status) {
  if (status === 404) return "This is not here, or not for you to see.";
  if (status === 403) return "You may not do this.";
  if (status === 429 || status === 503) return "The portal is busy.";
  if (status >= 500) return "The portal could not do this.";
  return `The portal refused this (${status}).`;
}

/**
 * Fetches from the portal; an answer that is no success becomes an ApiError.
 * @param {string} url
 * @param {RequestInit & {background?: boolean}} [options] background: does not count as activity of a person
 * @returns {Promise<Response>}
 */
export async function request(url, { background = false, headers = {}, ...options } = {}) {
  let response;
  const sent = background ? { ...headers, "X-Portal-Background": "1" } : headers;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options, headers: sent });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The portal cannot be reached.", { status: 0 });
  }
  if (isSignedOut(response)) {
    session.dispatchEvent(new Event("expired"));
    throw new ApiError("Your session has ended.", { status: 401, expired: true });
  }
  if (!response.ok) {
    const { text, answer } = await refusalOf(response);
    throw new ApiError(text, { status: response.status, answer });
  }
  return response;
}

/** @param {string} url */
export async function fetchJson(url, options = {}) {
  const response = await request(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The portal's answer could not be read.", { status: response.status });
  }
}

/** @param {string} url */
export async function fetchBlob(url, options = {}) {
  const response = await request(url, options);
  return response.blob();
}

/** The token that a form or a POST of ours must carry. */
export function csrfToken() {
  const match = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
  return match ? decodeURIComponent(match[1]) : "";
}

/** Posts a JSON value or a form. */
export function post(url, body, options = {}) {
  const isForm = body instanceof FormData || body instanceof URLSearchParams;
  const headers = { "X-CSRFToken": csrfToken(), ...(isForm ? {} : { "Content-Type": "application/json" }) };
  return request(url, { method: "POST", body: isForm ? body : JSON.stringify(body ?? {}), ...options, headers });
}

/** Sends a JSON value and reads the JSON of the answer. @param {RequestInit} [options] method: PUT, DELETE ... */
export async function sendJson(url, body, { method = "POST", ...options } = {}) {
  const response = await post(url, body, { ...options, method });
  return response.json();
}
