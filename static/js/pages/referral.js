/**
 * One referral: report, critical results, key images and answers appear by themselves.
 */
import { announce } from "../core/announcer.js";
import { request } from "../core/requests.js";
import { Watcher } from "../core/watcher.js";

const LOOK_EVERY_MS = 3000;

const live = document.getElementById("referral-live");

async function look() {
  const query = new URLSearchParams({ seen: live.dataset.digest });
  const response = await request(`${live.dataset.address}?${query}`, { background: true });
  if (response.status !== 200) return;
  const html = await response.text();
  live.dataset.digest = response.headers.get("X-Portal-Digest") ?? "";
  const template = document.createElement("template");
  template.innerHTML = html;
  live.replaceChildren(...template.content.childNodes);
  announce("This page was brought up to date.");
}

new Watcher(look, LOOK_EVERY_MS).connect();
