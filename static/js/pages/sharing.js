/**
 * The page of a study's links: copies the address of a new one.
 */
import { announce } from "../core/announcer.js";

const address = document.querySelector("[data-address]");
const copy = document.querySelector("[data-copy]");
if (address && copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(address.value);
    announce("The address is copied.");
  });
}
address?.addEventListener("focus", () => address.select());
