/**
 * From pointers to tools: left button or one finger the chosen tool, right button window, middle button pan, wheel one
 * image a notch, Ctrl+wheel zoom at the pointer, two fingers pinch and pan, three fingers window, long press probe,
 * double click maximise. A right click that has not moved opens the menu.
 */
import { WheelSteps, zoomFactor } from "../geometry/wheel_steps.js";
import { MarkDrag } from "./mark_drag.js";
import { TouchGestures } from "./touch_gestures.js";

/** A pointer that stays within so many CSS pixels has not moved. */
const STILL_PX = 4;
const DOUBLE_CLICK_MS = 350;
const RIGHT = 2;
const MIDDLE = 1;

export class PointerRouter {
  #pane;
  #tools;
  #element;
  #actions;
  #listeners = new AbortController();
  #wheel = new WheelSteps();
  #drag = null;
  #lastClick = null;
  #touch;

  /**
   * @param {object} pane
   * @param {import("./tool_box.js").ToolBox} tools
   * @param {{openMenu: (pane: object, point: object) => void, maximise: (pane: object) => void}} actions
   */
  constructor(pane, tools, actions) {
    this.#pane = pane;
    this.#tools = tools;
    this.#element = pane.surface;
    this.#actions = actions;
    this.#touch = new TouchGestures(pane, tools, actions, (event) => this.#gesture(event));
    const { signal } = this.#listeners;
    const on = (name, handler, options = {}) => this.#element.addEventListener(name, handler, { signal, ...options });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#cancelled(event));
    on("pointerleave", () => this.#left());
    on("wheel", (event) => this.#wheeled(event), { passive: false });
    // A finger that is lifted must not also click on what has opened under it.
    on("touchend", (event) => event.cancelable && event.preventDefault(), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    on("auxclick", (event) => event.preventDefault());
    on("dragstart", (event) => event.preventDefault());
  }

  disconnect() {
    this.cancel();
    this.#listeners.abort();
    this.#touch.disconnect();
  }

  /** Takes back what is under way. @returns {boolean} */
  cancel() {
    const drag = this.#drag;
    this.#drag = null;
    const wasTouching = this.#touch.cancel();
    const tool = drag?.tool ?? this.#tools.active;
    return tool.cancel(this.#pane) || wasTouching;
  }

  #gesture(event) {
    const box = this.#element.getBoundingClientRect();
    const { viewport } = this.#pane;
    const css = { x: event.clientX - box.left, y: event.clientY - box.top };
    const device = { x: css.x * viewport.size.ratio, y: css.y * viewport.size.ratio };
    const image = viewport.manifest ? viewport.toImage(device) : { x: -1, y: -1 };
    return { css, device, image, dx: 0, dy: 0, totalX: 0, totalY: 0, isDown: false, hasMoved: false };
  }

  #dragGesture(event) {
    const drag = this.#drag;
    const gesture = this.#gesture(event);
    gesture.dx = gesture.css.x - drag.last.x;
    gesture.dy = gesture.css.y - drag.last.y;
    gesture.totalX = gesture.css.x - drag.start.x;
    gesture.totalY = gesture.css.y - drag.start.y;
    drag.hasMoved ||= Math.hypot(gesture.totalX, gesture.totalY) > STILL_PX;
    drag.last = gesture.css;
    return { ...gesture, isDown: true, hasMoved: drag.hasMoved };
  }

  #down(event) {
    this.#element.focus({ preventScroll: true });
    if (event.pointerType === "touch") {
      this.#touch.down(event);
      return;
    }
    event.preventDefault();
    if (this.#drag) return;
    this.#element.setPointerCapture(event.pointerId);
    const gesture = this.#gesture(event);
    const tool = this.#toolFor(event, gesture);
    this.#drag = { tool, button: event.button, start: gesture.css, last: gesture.css, hasMoved: false };
    if (this.#pane.viewport.manifest) tool.pointerDown(this.#pane, { ...gesture, isDown: true });
  }

  #toolFor(event, gesture) {
    if (event.button === RIGHT) return this.#tools.tool("window");
    if (event.button === MIDDLE) return this.#tools.tool("pan");
    if (this.#tools.active.isUnderWay) return this.#tools.active;
    const hit = this.#pane.hitMark(gesture.css);
    if (hit) return new MarkDrag(hit);
    this.#pane.selectMark(null);
    return this.#tools.active;
  }

  #move(event) {
    if (event.pointerType === "touch") {
      this.#touch.move(event);
      return;
    }
    if (this.#drag) {
      const gesture = this.#dragGesture(event);
      // A drag of nothing yet is no drag: a click must not nudge the picture.
      if (gesture.hasMoved || this.#drag.tool === this.#tools.tool("probe")) this.#drag.tool.pointerMove(this.#pane, gesture);
      this.#pane.hover(gesture);
      return;
    }
    const gesture = this.#gesture(event);
    this.#pane.hover(gesture);
    if (this.#pane.viewport.manifest) this.#tools.active.pointerMove(this.#pane, gesture);
  }

  #up(event) {
    if (event.pointerType === "touch") {
      this.#touch.up(event);
      return;
    }
    const drag = this.#drag;
    if (!drag || event.button !== drag.button) return;
    const gesture = this.#dragGesture(event);
    this.#drag = null;
    if (this.#pane.viewport.manifest) drag.tool.pointerUp(this.#pane, gesture);
    if (gesture.hasMoved) this.#tools.noteUse(drag.tool.constructor.id);
    else if (event.button === RIGHT) this.#actions.openMenu(this.#pane, { x: event.clientX, y: event.clientY });
    else if (event.button === 0) this.#clicked(event, drag);
  }

  #clicked(event, drag) {
    const last = this.#lastClick;
    const isDouble =
      last &&
      event.timeStamp - last.time < DOUBLE_CLICK_MS &&
      Math.hypot(event.clientX - last.x, event.clientY - last.y) <= STILL_PX &&
      !(drag.tool instanceof MarkDrag);
    this.#lastClick = isDouble ? null : { time: event.timeStamp, x: event.clientX, y: event.clientY };
    if (!isDouble || drag.tool.finish?.()) return;
    this.#tools.active.cancel(this.#pane);
    this.#actions.maximise(this.#pane);
  }

  #cancelled(event) {
    if (event.pointerType === "touch") this.#touch.cancelled(event);
    else this.cancel();
  }

  #left() {
    if (!this.#drag) this.#pane.hover(null);
  }

  #wheeled(event) {
    event.preventDefault();
    const { viewport } = this.#pane;
    if (!viewport.manifest) return;
    if (event.ctrlKey || event.metaKey) {
      viewport.zoomAt(this.#gesture(event).device, zoomFactor(event));
      return;
    }
    // With Shift some systems turn the wheel sideways.
    const deltaY = event.deltaY || (event.shiftKey ? event.deltaX : 0);
    const steps = this.#wheel.steps({ deltaY, deltaMode: event.deltaMode, timeStamp: event.timeStamp });
    if (steps) this.#pane.scrollBy(steps);
  }
}
