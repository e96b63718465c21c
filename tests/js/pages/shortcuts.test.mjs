import assert from "node:assert/strict";
import { test } from "node:test";
import { Shortcuts } from "../../../static/js/pages/viewer_parts/shortcuts.js";

const commands = () => [
  { id: "tool-length", label: "Length", keys: ["l"] },
  { id: "link", label: "Link", keys: ["x"] },
  { id: "tags", label: "Elements" },
  { id: "cancel", label: "Cancel", keys: ["Escape"] },
];
const keysOf = (all) => all.map(({ keys }) => keys.join());

test("a key that was given to another command is taken from its first owner", () => {
  const all = commands();
  new Shortcuts(all, { tags: ["x"], "tool-length": ["d", "l"] });
  assert.deepEqual(keysOf(all), ["d,l", "", "x", "Escape"]);
});

test("keys of the browser and of cancelling cannot be given", () => {
  const shortcuts = new Shortcuts(commands(), {});
  assert.notEqual(shortcuts.objection("Escape"), "");
  assert.notEqual(shortcuts.objection("Ctrl+w"), "");
  assert.equal(shortcuts.objection("q"), "");
  assert.equal(shortcuts.ownerOf("x").id, "link");
});

test("what was given is kept by the portal before it holds, and can be forgotten", async () => {
  const all = commands();
  const shortcuts = new Shortcuts(all, {});
  const sent = [];
  globalThis.document = { cookie: "csrftoken=t" };
  globalThis.fetch = async (url, { method, body }) => {
    sent.push([url, method, JSON.parse(body).shortcuts]);
    return Response.json({});
  };
  await shortcuts.give(all[0], "x");
  assert.deepEqual(sent, [["/api/preferences/shortcuts", "PUT", { "tool-length": ["x"] }]]);
  assert.deepEqual(keysOf(all), ["x", "", "", "Escape"]);
  globalThis.fetch = async () => Response.json({ error: "no" }, { status: 400 });
  await assert.rejects(shortcuts.give(all[0], "q"));
  assert.deepEqual(keysOf(all), ["x", "", "", "Escape"]);
  globalThis.fetch = async () => Response.json({});
  await shortcuts.forget();
  assert.deepEqual(keysOf(all), ["l", "x", "", "Escape"]);
});
