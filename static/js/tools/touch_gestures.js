/**
 * Fingers: one uses the tool, two pinch and pan, three window; a long press probes and opens the tools, two quick taps
 * maximise.
 */
import { middleOf, pinchBetween } from "../geometry/gesture.js";
import { MarkDrag } from "./mark_drag.js";

const STILL_PX = 10;
const LONG_PRESS_MS = 500;
const DOUBLE_TAP_MS = 350;
/** A finger reaches further than a mouse. */
const FINGER_REACH = 2.2;

export class TouchGestures {
  #pane;
  #tools;
  #actions;
  #gestureOf;
  #fingers = new Map();
  #kind = "";
  #tool = null;
  #start = null;
  #last = null;
  #hasMoved = false;
  #longPress = 0;
  #lastTap = null;

  constructor(pane, tools, actions, gestureOf) {
    this.#pane = pane;
    this.#tools = tools;
    this.#actions = actions;
    this.#gestureOf = gestureOf;
  }

  disconnect() {
    clearTimeout(this.#longPress);
  }

  cancel() {
    clearTimeout(this.#longPress);
    this.#fingers.clear();
    const wasUnderWay = this.#tool?.cancel(this.#pane) ?? false;
    this.#kind = "";
    this.#tool = null;
    return wasUnderWay;
  }

  down(event) {
    this.#pane.surface.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, this.#pointOf(event));
    clearTimeout(this.#longPress);
    if (!this.#pane.viewport.manifest) return;
    if (this.#fingers.size === 1) this.#beginOne(event);
    else if (this.#fingers.size === 2) this.#begin("pinch", null);
    else if (this.#fingers.size === 3) this.#begin("window", this.#tools.tool("window"));
  }

  move(event) {
    if (!this.#fingers.has(event.pointerId)) return;
    const before = [...this.#fingers.values()];
    this.#fingers.set(event.pointerId, this.#pointOf(event));
    if (!this.#kind) return;
    if (this.#kind === "pinch") {
      this.#pinch(before);
      return;
    }
    const gesture = this.#gesture(event);
    if (!this.#hasMoved) return;
    clearTimeout(this.#longPress);
    this.#tool?.pointerMove(this.#pane, gesture);
  }

  up(event) {
    clearTimeout(this.#longPress);
    if (!this.#fingers.has(event.pointerId)) return;
    const gesture = this.#kind && this.#kind !== "pinch" ? this.#gesture(event) : null;
    this.#fingers.delete(event.pointerId);
    if (this.#kind === "press") this.#endPress(event);
    else if (gesture) this.#tool?.pointerUp(this.#pane, gesture);
    if (this.#kind === "tool" && !this.#hasMoved) this.#tapped(event);
    this.#tool = null;
    // Fingers that are left do not go on with another gesture.
    this.#kind = "";
  }

  cancelled(event) {
    this.#fingers.delete(event.pointerId);
    this.cancel();
  }

  #beginOne(event) {
    const gesture = this.#gestureOf(event);
    const isDrawing = this.#tools.active.isUnderWay;
    const hit = isDrawing ? null : this.#pane.hitMark(gesture.css, { reach: FINGER_REACH });
    this.#begin("tool", hit ? new MarkDrag(hit) : this.#tools.active);
    if (!hit) this.#pane.selectMark(null);
    this.#tool.pointerDown(this.#pane, { ...gesture, isDown: true });
    this.#longPress = setTimeout(() => this.#press(event), LONG_PRESS_MS);
  }

  #begin(kind, tool) {
    this.#tool?.cancel(this.#pane);
    this.#kind = kind;
    this.#tool = tool;
    this.#start = middleOf([...this.#fingers.values()]);
    this.#last = this.#start;
    this.#hasMoved = false;
  }

  #press(event) {
    this.#tool?.cancel(this.#pane);
    this.#kind = "press";
    this.#pane.probeAt(this.#gestureOf(event));
  }

  #endPress(event) {
    this.#pane.showAtPointer(null);
    this.#actions.openMenu(this.#pane, { x: event.clientX, y: event.clientY });
  }

  #tapped(event) {
    const last = this.#lastTap;
    const isDouble =
      last &&
      event.timeStamp - last.time < DOUBLE_TAP_MS &&
      Math.hypot(event.clientX - last.x, event.clientY - last.y) <= STILL_PX * 2;
    this.#lastTap = isDouble ? null : { time: event.timeStamp, x: event.clientX, y: event.clientY };
    if (!isDouble || this.#tools.active.finish?.()) return;
    this.#tools.active.cancel(this.#pane);
    this.#actions.maximise(this.#pane);
  }

  #pinch(before) {
    const after = [...this.#fingers.values()];
    if (before.length !== 2 || after.length !== 2) return;
    const { viewport } = this.#pane;
    const { ratio } = viewport.size;
    const { dx, dy, at, factor } = pinchBetween(before, after);
    viewport.panBy(dx * ratio, dy * ratio);
    viewport.zoomAt({ x: at.x * ratio, y: at.y * ratio }, factor);
  }

  #pointOf(event) {
    const box = this.#pane.surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #gesture(event) {
    const middle = middleOf([...this.#fingers.values()]);
    const gesture = this.#gestureOf(event);
    gesture.dx = middle.x - this.#last.x;
    gesture.dy = middle.y - this.#last.y;
    gesture.totalX = middle.x - this.#start.x;
    gesture.totalY = middle.y - this.#start.y;
    const hadMoved = this.#hasMoved;
    this.#hasMoved ||= Math.hypot(gesture.totalX, gesture.totalY) > STILL_PX;
    if (this.#hasMoved || hadMoved) this.#last = middle;
    return { ...gesture, isDown: true, hasMoved: this.#hasMoved };
  }
}
