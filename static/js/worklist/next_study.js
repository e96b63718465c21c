/**
 * Takes the next study: the server claims one that nobody else has, and this tab opens it.
 */
import { post } from "../core/requests.js";
import { claimIsFresh } from "./held_claim.js";

/** Where the next study is asked for. */
const ADDRESS = "/worklist/next";

/**
 * @param {URLSearchParams} values the filter of the list that the reader works from; `open`: the study that is open
 * @returns {Promise<void>} rejected with the sentence that says why there is none
 */
export async function openNext(values) {
  const response = await post(ADDRESS, values);
  const { study, viewer } = await response.json();
  claimIsFresh(study);
  location.assign(viewer);
}
