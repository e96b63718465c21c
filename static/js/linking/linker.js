/**
 * Keeps linked viewports in step: what the reader does in one, the others that can do the same do too.
 *
 * Events: "change" when linking was switched, or other viewports have come to be linked; for other windows: "moved" with
 * what a reader did in a viewport, "links" when links were switched here, "matched" when places were matched by hand,
 * "elsewhere" when the viewport that is worked in is, or is no longer, in another window.
 */
import { MATCHED, matchingFrame, middleFrame, Offsets } from "./matching.js";
import { matchingWindow, matchingZoom } from "./view_matching.js";

/** What can be linked. */
export const LINKS = Object.freeze({ scroll: "Scroll", zoom: "Zoom and pan", window: "Window" });

/** What a view takes over from another one. */
const CHANGES = Object.freeze({
  zoom: matchingZoom,
  window: (source, target) => {
    const window = matchingWindow(source, target);
    return window && { window };
  },
});

export class Linker extends EventTarget {
  #viewer;
  #offsets = new Offsets();
  #links = { scroll: false, zoom: false, window: false };
  /** What was linked last, for switching on again. */
  #wanted = { scroll: true, zoom: true, window: false };
  #watched = new WeakSet();
  #views = new WeakMap();
  /** Panes that were given another stack a moment ago: where it begins is nobody's scrolling. */
  #justShown = new WeakSet();
  #isMoving = false;
  /** What is shown where the reader works, while that is in another window. */
  #elsewhere = null;

  /** @param {import("../pages/viewer_parts/viewer.js").Viewer} viewer */
  constructor(viewer) {
    super();
    this.#viewer = viewer;
    for (const name of ["layout", "active"]) viewer.addEventListener(name, () => this.#watchAll());
    this.#watchAll();
  }

  get isOn() {
    return Object.values(this.#links).some(Boolean);
  }

  /** @param {keyof typeof LINKS} name */
  has(name) {
    return this.#links[name];
  }

  get links() {
    return { ...this.#links };
  }

  /** Links on or off; what is shown now is what is matched by hand where positions cannot be compared. */
  toggle() {
    if (this.isOn) {
      this.#wanted = this.links;
      this.setLinks({ scroll: false, zoom: false, window: false });
    } else {
      this.matchByHand();
      this.setLinks(this.#wanted);
    }
  }

  /** @param {Partial<Record<keyof typeof LINKS, boolean>>} links */
  setLinks(links) {
    this.#links = { ...this.#links, ...links };
    this.dispatchEvent(new Event("links"));
    if (this.isOn) this.#follow(this.#viewer.active);
    this.#changed();
  }

  /** Links as another window has set them; nothing moves. @param {Record<keyof typeof LINKS, boolean>} links */
  takeLinks(links) {
    this.#links = { ...this.#links, ...links };
    this.#changed();
  }

  // --- other windows -----------------------------------------------------------------------------------------------

  /** What is shown where the reader works, in another window; null: that is here. */
  get elsewhere() {
    return this.#elsewhere;
  }

  /** @param {{manifest: object, frame: number}|null} shown */
  setElsewhere(shown) {
    if (!shown && !this.#elsewhere) return;
    const isOtherStack = shown?.manifest !== this.#elsewhere?.manifest;
    this.#elsewhere = shown;
    this.dispatchEvent(new Event("elsewhere"));
    if (isOtherStack) this.#changed();
  }

  /**
   * Does here what a reader did in another window.
   * @param {"scroll"|"zoom"|"window"|"match"|"active"} what
   * @param {{manifest: object, frame: number, view: object, size: object}} shown there
   */
  followElsewhere(what, shown) {
    this.setElsewhere(shown);
    if (what === "match") this.#matchTo(shown, this.#viewer.panes);
    if (!this.#links[what]) return;
    if (what === "scroll") for (const pane of this.#others(null)) this.#moveTo(pane, shown);
    else this.#copyTo(this.#others(null), shown, CHANGES[what]);
  }

  /** What stands in the active viewport and in the others is the same place from now on. */
  matchByHand() {
    const active = this.#viewer.active?.viewport;
    if (!active?.manifest) return;
    this.#matchTo(at(active), this.#others(this.#viewer.active));
    this.dispatchEvent(new Event("matched"));
    this.#changed();
  }

  #matchTo(shown, panes) {
    for (const { viewport } of panes) if (viewport.manifest) this.#offsets.set(shown, at(viewport), "hand");
  }

  /** Matches the middles of two stacks, where nobody has matched them yet. */
  matchMiddles(manifest, other) {
    const [one, two] = [manifest, other].map((stack) => ({ manifest: stack, frame: middleFrame(stack) }));
    if (!matchingFrame(one, other, this.#offsets)) this.#offsets.set(one, two, "middle");
  }

  /** The frame of a stack that shows what a viewport shows, null where nobody can know. */
  frameLike(viewport, manifest) {
    return viewport.manifest ? matchingFrame(at(viewport), manifest, this.#offsets) : null;
  }

  /** How a pane is linked to the active one, in words; empty where it is not. */
  wordsFor(pane) {
    const { active } = this.#viewer;
    const source = this.#elsewhere ?? (active?.viewport.manifest && pane !== active ? at(active.viewport) : null);
    if (!this.#links.scroll || !pane.viewport.manifest || !source) return "";
    const match = matchingFrame(source, pane.viewport.manifest, this.#offsets);
    return match ? MATCHED[match.how] : "";
  }

  /** Moves viewports without the others following. @param {() => void} move */
  quietly(move) {
    const wasMoving = this.#isMoving;
    this.#isMoving = true;
    try {
      move();
    } finally {
      this.#isMoving = wasMoving;
    }
  }

  // --- following ---------------------------------------------------------------------------------------------------

  #others(pane) {
    return this.#viewer.panes.filter((other) => other !== pane && other.viewport.manifest);
  }

  #watchAll() {
    for (const pane of this.#viewer.panes) {
      if (this.#watched.has(pane)) continue;
      this.#watched.add(pane);
      pane.viewport.addEventListener("asked", () => this.#scrolled(pane));
      pane.viewport.addEventListener("view", () => this.#viewed(pane));
      pane.viewport.addEventListener("stack", () => this.#shown(pane));
    }
    this.#changed();
  }

  /** Another stack comes to the place of the others, and moves none of them. */
  #shown(pane) {
    this.#views.set(pane, pane.viewport.view);
    this.#justShown.add(pane);
    const { active } = this.#viewer;
    if (this.#links.scroll && !this.#isMoving && pane !== active && active?.viewport.manifest) {
      queueMicrotask(() => active.viewport.manifest && this.#moveTo(pane, at(active.viewport)));
    }
    this.#changed();
  }

  #follow(pane) {
    if (!pane?.viewport.manifest) return;
    if (this.#links.scroll) this.#scrolled(pane);
    for (const what of ["zoom", "window"]) if (this.#links[what]) this.#copy(pane, what);
  }

  #scrolled(pane) {
    if (this.#justShown.delete(pane) || this.#isMoving || !pane.viewport.manifest) return;
    this.#moved("scroll", pane);
    if (this.#links.scroll) for (const other of this.#others(pane)) this.#moveTo(other, at(pane.viewport));
  }

  #moveTo(pane, shown) {
    if (!pane.viewport.manifest) return;
    const match = matchingFrame(shown, pane.viewport.manifest, this.#offsets);
    if (match && match.frame !== pane.viewport.askedFrame) this.quietly(() => pane.viewport.jump(match.frame));
  }

  #viewed(pane) {
    const { view } = pane.viewport;
    const before = this.#views.get(pane);
    this.#views.set(pane, view);
    if (this.#isMoving || !view || !before || view === before) return;
    const isMoved = view.zoom !== before.zoom || view.center.x !== before.center.x || view.center.y !== before.center.y;
    if (isMoved) this.#copy(pane, "zoom");
    if (view.window !== before.window) this.#copy(pane, "window");
  }

  #copy(pane, what) {
    this.#moved(what, pane);
    if (this.#links[what]) this.#copyTo(this.#others(pane), shownIn(pane.viewport), CHANGES[what]);
  }

  #copyTo(panes, source, changesOf) {
    this.quietly(() => {
      for (const { viewport } of panes) {
        const changes = changesOf(source, shownIn(viewport));
        if (changes) viewport.setView(changes);
      }
    });
  }

  #moved(what, { viewport }) {
    this.dispatchEvent(new CustomEvent("moved", { detail: { what, viewport } }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function at({ manifest, askedFrame }) {
  return { manifest, frame: askedFrame };
}

function shownIn({ manifest, askedFrame, view, size }) {
  return { manifest, frame: askedFrame, view, size };
}
