import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { session } from "../../../static/js/core/requests.js";
import { Arrivals } from "../../../static/js/pages/viewer_parts/arrivals.js";

const MINUTE_MS = 60_000;
let asked;
let page;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  asked = [];
  page = Object.assign(new EventTarget(), { hidden: false });
  globalThis.document = page;
  globalThis.fetch = async (url, options) => {
    asked.push(options.headers);
    return new Response("{}", { status: 401, headers: { "Content-Type": "application/json" } });
  };
});

afterEach(() => mock.timers.reset());

function told() {
  return new Promise((resolve) => session.addEventListener("expired", resolve, { once: true }));
}

test("a reader whose pictures come out of memory is told within a minute that the session has ended", async () => {
  new Arrivals("/manifest.json", { ready: true, revision: 1 });
  const ended = told();
  mock.timers.tick(MINUTE_MS - 1);
  await ended;
  assert.equal(asked.length, 1);
});

test("dragging asks nothing of its own, and counts as use when the next look comes", async () => {
  const arrivals = new Arrivals("/manifest.json", { ready: true, revision: 1 });
  await arrivals.look();
  await arrivals.look();
  for (let count = 0; count < 100; count += 1) page.dispatchEvent(new Event("pointerdown"));
  assert.equal(asked.length, 2);
  await arrivals.look();
  assert.deepEqual(asked.map((headers) => "X-Portal-Background" in headers), [false, true, false]);
});

test("a page that nobody sees asks nothing, and at once when it is seen again", async () => {
  new Arrivals("/manifest.json", { ready: true, revision: 1 });
  page.hidden = true;
  mock.timers.tick(10 * MINUTE_MS);
  assert.equal(asked.length, 0);
  page.hidden = false;
  const ended = told();
  page.dispatchEvent(new Event("visibilitychange"));
  await ended;
  assert.equal(asked.length, 1);
});
