/**
 * Says in the header who reads the study, and lets the reader say that it was read; no key does that.
 */
import { announce } from "../../core/announcer.js";
import { element, mark } from "../../core/dom.js";
import { post } from "../../core/requests.js";

/**
 * @param {HTMLElement} note in the header
 * @param {import("../../worklist/held_claim.js").HeldClaim} claim
 * @param {string} study its UID
 */
export function showClaim(note, claim, study) {
  const say = (name, text, ...more) => {
    note.hidden = false;
    const shape = mark(name, "");
    shape.setAttribute("aria-hidden", "true");
    note.replaceChildren(shape, element("span", { text }), ...more);
  };
  const read = element("button", { class: "button", type: "button", text: "Mark as read" });
  read.addEventListener("click", async () => {
    read.disabled = true;
    try {
      await post(`/studies/${study}/read`, {});
      say("final", "read");
      announce("The study is marked as read.");
    } catch (error) {
      read.disabled = false;
      say("claimed", error.message, read);
    }
  });
  claim.addEventListener("held", () => say("claimed", "you are reading this", read));
  claim.addEventListener("ended", ({ detail }) => say(detail, detail === "preliminary" ? "preliminary report signed" : "report signed"));
  claim.addEventListener("lost", ({ detail }) => {
    say("quarantine", detail);
    announce(detail);
  });
}
