/**
 * What all viewports of a page share to draw values by themselves: the WebGL2 context, color maps, automatic windows, and
 * the reader's choice to let the server draw.
 *
 * Events: "change" when what can be drawn has changed.
 */
import { isAbort } from "../core/api_error.js";
import { preference, setPreference } from "../core/preferences.js";
import { fetchJson } from "../core/requests.js";
import { LineMeter } from "./line_meter.js";
import { bytesOf, displayTransform } from "./value_transform.js";
import { ValueRenderer } from "./value_renderer.js";

const SLOW_LINES = Object.freeze(["slow-2g", "2g", "3g"]);

export class ValueDrawing extends EventTarget {
  /** undefined: not tried yet. */
  #renderer;
  #isOnServer = Boolean(preference("drawOnServer", false));
  #isSmooth = Boolean(preference("smoothPixels", true));
  #maps = {};
  #asked = new WeakSet();
  #areMapsAsked = false;
  #line = LineMeter.watching();

  /** Whether windowed tiles should come before values. */
  get isLineSlow() {
    return this.#line.isSlow;
  }

  /** The context is made with the first picture that needs it. */
  get renderer() {
    if (this.#renderer === undefined) {
      this.#renderer = ValueRenderer.create();
      this.#renderer?.addEventListener("change", () => this.#tell());
    }
    return this.#renderer;
  }

  /** Whether the reader wants all pictures drawn on the server. */
  get isOnServer() {
    return this.#isOnServer;
  }

  setOnServer(isOnServer) {
    this.#isOnServer = isOnServer;
    setPreference("drawOnServer", isOnServer);
    this.#tell();
  }

  /** Whether an enlarged image is smooth, or shows its pixels as squares. */
  get isSmooth() {
    return this.#isSmooth;
  }

  setSmooth(isSmooth) {
    this.#isSmooth = isSmooth;
    setPreference("smoothPixels", isSmooth);
    this.#tell();
  }

  /**
   * Whether a picture of so many value tiles can be drawn here.
   * @param {object} manifest
   * @param {number} frame
   * @param {object} view
   * @param {{tiles: number, size: {width: number, height: number}}} picture
   */
  canDraw(manifest, frame, view, { tiles, size }) {
    // Value tiles are two to four times as large as windowed ones.
    if (!manifest?.values || view.presentationState || this.#isOnServer || isSlowLine()) return false;
    const { renderer } = this;
    if (!renderer?.isUsable || tiles > renderer.mostTiles) return false;
    if (Math.max(size.width, size.height) > renderer.mostPixels) return false;
    return this.transform(manifest, frame, view) !== null;
  }

  /** What the values of a frame go through; null where the server must draw, or until what is missing has come. */
  transform(manifest, frame, view) {
    if (view.map !== "grey" && !this.#areMapsAsked) this.#askForMaps();
    if (view.window.key === "auto" && !manifest.values?.automatic) this.#askForAutomatic(manifest);
    return displayTransform(manifest, frame, view, this.#maps);
  }

  async #askForMaps() {
    this.#areMapsAsked = true;
    const maps = await answerOf("/api/color-maps.json");
    this.#maps = Object.fromEntries(Object.entries(maps ?? {}).map(([name, text]) => [name, bytesOf(text)]));
    this.#areMapsAsked = maps !== null;
    if (maps) this.#tell();
  }

  async #askForAutomatic(manifest) {
    if (this.#asked.has(manifest)) return;
    this.#asked.add(manifest);
    const answer = await answerOf(`/stacks/${manifest.stack}/automatic_window.json`);
    if (!answer?.window) return;
    // From now on as if the manifest had said it.
    manifest.values.automatic = answer.window;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Null where there is no answer: the server goes on drawing. */
async function answerOf(address) {
  try {
    return await fetchJson(address);
  } catch (error) {
    if (!isAbort(error)) return null;
    throw error;
  }
}

function isSlowLine() {
  const line = globalThis.navigator?.connection;
  return Boolean(line?.saveData) || SLOW_LINES.includes(line?.effectiveType);
}
