import assert from "node:assert/strict";
import { test } from "node:test";
import { tileAddress } from "../../../static/js/viewport/tile_address.js";
import {
  appearanceQuery,
  explicitWindow,
  parseWindow,
  stackWindow,
  startOfDrag,
  windowAsUptake,
  windowInWords,
} from "../../../static/js/viewport/window_choice.js";

const CT = {
  color: false,
  inverted: false,
  window: { center: 40, width: 400, function: "linear", name: "abdomen", key: null },
  windows: [{ name: "As in file", key: "file" }, { name: "Automatic", key: "auto", center: 10, width: 900, function: "linear" }],
  frames: [{ window: { center: 50, width: 350, function: "linear" } }, { window: null }],
  tiles: "/tiles/1.2.3/{frame}/{level}/{row}/{column}.png",
  key: "0123456789abcdef",
  revision: 7,
};
const PET = { ...CT, inverted: true };

const look = (window, inverted, manifest = CT) => appearanceQuery({ window, inverted }, manifest);

test("the stack as it is first shown has nothing in its address, so that the picture in the page is found again", () => {
  assert.equal(look(stackWindow(CT), false), "");
  assert.equal(look(stackWindow(PET), true, PET), "");
  assert.equal(
    tileAddress(CT, { frame: 1, level: 0, row: 0, column: 0 }, ""),
    "/tiles/1.2.3/1/0/0/0.png?k=0123456789abcdef&rev=7",
  );
});

test("a picture with a window of its own says its polarity itself", () => {
  const lung = explicitWindow({ center: -600, width: 1500 });
  assert.equal(look(lung, false), "window=-600,1500,linear");
  assert.equal(look(lung, true), "window=-600,1500,linear&invert=1");
  assert.equal(look(lung, true, PET), "window=-600,1500,linear&invert=1");
  assert.equal(look(lung, false, PET), "window=-600,1500,linear");
  assert.equal(look(stackWindow(PET), false, PET), "invert=0");
  assert.equal(look(stackWindow(CT), true), "invert=1");
});

test("a presentation state has its own grey levels, and a reader's window or inversion goes over them", () => {
  const stated = (window, inverted, manifest = CT) => appearanceQuery({ window, inverted, presentationState: "1.2.9" }, manifest);
  assert.equal(stated(stackWindow(CT), false), "pr=1.2.9");
  assert.equal(stated(stackWindow(PET), false, PET), "pr=1.2.9");
  assert.equal(stated(stackWindow(CT), true), "pr=1.2.9&invert=1");
  assert.equal(stated(explicitWindow({ center: 40, width: 80 }), false), "pr=1.2.9&window=40,80,linear");
  assert.equal(stated(stackWindow(CT), false, { ...CT, color: true }), "pr=1.2.9");
});

test("a tile of an image that the state is not about has no state in its address", () => {
  const manifest = { ...CT, presentation_states: [{ SOPInstanceUID: "1.2.9", frames: [null, 0] }] };
  const address = (frame, appearance) => tileAddress(manifest, { frame, level: 0, row: 0, column: 0 }, appearance);
  assert.equal(address(2, "pr=1.2.9&invert=1"), "/tiles/1.2.3/2/0/0/0.png?pr=1.2.9&invert=1&k=0123456789abcdef&rev=7");
  assert.equal(address(1, "pr=1.2.9&invert=1"), "/tiles/1.2.3/1/0/0/0.png?invert=1&k=0123456789abcdef&rev=7");
  assert.equal(address(1, "pr=1.2.9"), "/tiles/1.2.3/1/0/0/0.png?k=0123456789abcdef&rev=7");
});

test("color has no window", () => {
  assert.equal(look(explicitWindow({ center: 1, width: 2 }), false, { ...CT, color: true }), "");
});

test("a window is written as readers write it", () => {
  assert.equal(windowInWords(stackWindow(CT), CT, 1), "W 400 L 40 abdomen");
  assert.equal(windowInWords({ key: "file", name: "As in file" }, CT, 1), "W 350 L 50 as in file");
  assert.equal(windowInWords({ key: "auto" }, CT, 2), "W 900 L 10 automatic");
  assert.equal(windowInWords({ key: "lut-1", name: "NORMAL" }, CT, 2), "NORMAL");
  assert.equal(windowInWords(explicitWindow({ center: 3, width: 7, function: "sigmoid" }), CT, 1), "W 7 L 3 sigmoid");
});

test("a window of a PET is written as uptake too, where the files allow it", () => {
  // 0 to 16,623 Bq/ml by 0.00042111.
  const pet = { ...PET, uptake: { name: "SUVbw", unit: "g/ml", factor: 0.00042111 } };
  const first = explicitWindow({ center: 8311.5, width: 16623, function: "linear-exact" });
  assert.equal(windowAsUptake(first, pet, 1), "SUVbw 0 to 7");
  assert.equal(windowAsUptake(explicitWindow({ center: 8311.5, width: 16623, function: "sigmoid" }), pet, 1), "");
  assert.equal(windowAsUptake({ key: "lut-1" }, pet, 2), "");
  assert.equal(windowAsUptake(first, { ...PET, uptake: null }, 1), "");
});

test("a drag of a VOI LUT begins from the window that looks like it", () => {
  const normal = { center: 2651, width: 891.1, function: "sigmoid" };
  const harder = { center: 2711.2, width: 744.4, function: "sigmoid" };
  const header = { center: 2653, width: 900, function: "sigmoid" };
  const mammogram = {
    ...CT,
    window: { center: null, width: null, function: null, name: "NORMAL", key: "lut-1" },
    windows: [{ name: "NORMAL", key: "lut-1" }, { name: "Header 1", key: "2653,900,sigmoid", ...header }],
    frames: [{ window: header, luts: [normal, harder, null] }],
  };
  assert.deepEqual(startOfDrag(stackWindow(mammogram), mammogram, 1), normal);
  assert.deepEqual(startOfDrag({ key: "file" }, mammogram, 1), normal);
  assert.deepEqual(startOfDrag({ key: "lut-2" }, mammogram, 1), harder);
  assert.deepEqual(startOfDrag({ key: "lut-3" }, mammogram, 1), header);
  assert.deepEqual(startOfDrag(explicitWindow(header), mammogram, 1), header);
});

test("a drag begins with what is shown, or with the next best that has numbers", () => {
  assert.deepEqual(startOfDrag({ key: "file" }, CT, 1), { center: 50, width: 350, function: "linear" });
  assert.deepEqual(startOfDrag({ key: "lut-1" }, CT, 2), { center: 40, width: 400, function: "linear" });
});

test("a window out of an address is read back, and nonsense is nothing", () => {
  assert.deepEqual(parseWindow("", CT), stackWindow(CT));
  assert.equal(parseWindow("40,400,linear", CT).width, 400);
  assert.equal(parseWindow("auto", CT).center, 10);
  assert.equal(parseWindow("lut-2", CT).key, "lut-2");
  for (const text of ["40", "a,b", "40,0", "40,-1", "40,400,cubic", "NaN,1", "lut-0"]) assert.equal(parseWindow(text, CT), null);
});
