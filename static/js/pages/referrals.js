/**
 * My referrals: new studies, reports and critical results appear by themselves, without moving what is read.
 */
import { csrfToken, request } from "../core/requests.js";
import { Watcher } from "../core/watcher.js";

const LOOK_EVERY_MS = 3000;

const list = document.getElementById("referrals-cards");
const form = document.getElementById("referrals-search");

function cardsOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** The first page's cards are brought up to date; those that "More" brought stay as they are. */
function take(html) {
  const fresh = cardsOf(html);
  if (!list.querySelector(".referral") || !fresh.querySelector(".referral")) {
    list.replaceChildren(...fresh.childNodes);
    window.htmx.process(list);
    return;
  }
  list.querySelector(".referrals-seen").replaceWith(fresh.querySelector(".referrals-seen"));
  let last = list.querySelector(".referrals-seen");
  for (const card of fresh.querySelectorAll(".referral")) {
    const shown = list.querySelector(`[data-study="${card.dataset.study}"]`);
    if (!shown) last.after(card);
    else if (shown.innerHTML !== card.innerHTML) shown.replaceChildren(...card.childNodes);
    last = list.querySelector(`[data-study="${card.dataset.study}"]`);
  }
}

async function look() {
  const body = new URLSearchParams(new FormData(form));
  body.set("seen", list.querySelector(".referrals-seen")?.dataset.digest ?? "");
  const asked = body.get("text");
  const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true" };
  const response = await request(form.getAttribute("action"), { method: "POST", body, headers, background: true });
  // What was typed meanwhile is answered by its own request.
  if (response.status === 200 && form.elements.text.value === asked) take(await response.text());
}

// The second page of an address without scripts stays as it was asked for.
if (!new URLSearchParams(location.search).has("after")) new Watcher(look, LOOK_EVERY_MS).connect();
