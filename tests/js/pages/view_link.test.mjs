import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCommands } from "../../../static/js/pages/viewer_parts/commands.js";
import { bindings, keyForPeople, keyName } from "../../../static/js/pages/viewer_parts/key_bindings.js";
import { linkQuery, readLink, viewFrom, writeView } from "../../../static/js/pages/viewer_parts/view_link.js";
import { firstView } from "../../../static/js/viewport/view_state.js";
import { explicitWindow } from "../../../static/js/viewport/window_choice.js";

const MANIFEST = {
  stack: "1.2.3",
  Rows: 512,
  Columns: 512,
  PixelAspectRatio: [1, 1],
  color: false,
  inverted: false,
  window: { center: 40, width: 400, function: "linear", name: "", key: null },
  windows: [],
  frames: Array(100).fill({}),
};

function shown(changes = {}) {
  return { manifest: MANIFEST, askedFrame: 87, view: { ...firstView(MANIFEST), ...changes } };
}

test("the first view of a stack is its id and the frame", () => {
  assert.equal(writeView(shown()), "1.2.3~87");
});

test("a view that is written is read back", () => {
  const view = { window: explicitWindow({ center: -600, width: 1500 }), zoom: 1.5, center: { x: 100, y: 200 }, rotation: 90, flipped: true, inverted: true };
  const text = writeView(shown(view));
  assert.equal(text, "1.2.3~87~-600,1500,linear~1.5~100,200~90f~i");
  const query = linkQuery({ layout: "2x2", active: 1, views: [text, ""] });
  assert.equal(query, `layout=2x2&active=1&view=${text}&view=`);
  const link = readLink(`?${query}`);
  assert.deepEqual([link.layout, link.active, link.views[0].stack, link.views[0].frame, link.views[1]], ["2x2", 1, "1.2.3", 87, null]);
  assert.deepEqual(viewFrom(link.views[0].rest, MANIFEST), { ...firstView(MANIFEST), ...view });
});

test("a presentation state is part of the view, and one that is not there any more is not", () => {
  const state = { SOPInstanceUID: "1.2.9", ContentLabel: "LESION", views: [{ window: { center: 5, width: 9, function: "linear" } }], frames: [] };
  const manifest = { ...MANIFEST, presentation_states: [state] };
  const view = { presentationState: "1.2.9", window: { key: null, center: 5, width: 9, function: "linear", name: "presentation state LESION" } };
  const text = writeView(shown(view));
  assert.equal(text, "1.2.3~87~~~~~~1.2.9");
  const [link] = readLink(`?view=${text}`).views;
  assert.deepEqual(viewFrom(link.rest, manifest), { ...firstView(manifest), ...view });
  assert.deepEqual(viewFrom(link.rest, MANIFEST), firstView(MANIFEST));
});

test("what makes no sense in an address is left as the stack is first shown", () => {
  assert.deepEqual(viewFrom(["x,y", "-3", "a", "45", ""], MANIFEST), firstView(MANIFEST));
  assert.deepEqual(readLink("?view=<script>~1&active=-7&layout=").views, [null]);
  assert.equal(readLink("?view=1.2~x").views[0].frame, 1);
});

test("a link of the strip names a stack only", () => {
  assert.deepEqual(readLink("?stack=1.2.3").views, [{ stack: "1.2.3", frame: 1, rest: [] }]);
});

test("key presses are named as the table of commands writes them", () => {
  const press = (key, modifiers = {}) => keyName({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...modifiers });
  assert.equal(press("w"), "w");
  assert.equal(press("R", { shiftKey: true }), "Shift+r");
  assert.equal(press("?", { shiftKey: true }), "?");
  assert.equal(press(" "), "Space");
  assert.equal(press("z", { ctrlKey: true }), "Ctrl+z");
  assert.equal(press("Z", { metaKey: true, shiftKey: true }), "Ctrl+Shift+z");
  assert.equal(press("ArrowUp", { altKey: true }), "Alt+ArrowUp");
  assert.equal(press("w", { ctrlKey: true }), "Ctrl+w");
  assert.equal(keyForPeople("Shift+ArrowLeft"), "Shift ←");
  assert.equal(keyForPeople("+"), "+");
});

test("a key belongs to one command, and the keys that readers know are there", () => {
  const commands = makeCommands({ viewer: { active: { viewport: {} } }, tools: {}, store: {}, ui: {}, presetsOf: () => [] });
  const keys = commands.flatMap((command) => command.keys ?? []);
  assert.equal(new Set(keys).size, keys.length);
  const known = ["w", "p", "z", "s", "l", "b", "i", "r", "Shift+r", "h", "v", "f", "o", "Space", "0", "1", "9", "c", "g", "t", "m", "?"];
  const more = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "Escape", "Ctrl+z", "Ctrl+y"];
  for (const key of [...known, ...more]) assert.ok(bindings(commands).has(key), key);
});
