/**
 * The view in the page's address, so that a link means "look at this": layout, active viewport, and for each viewport
 * stack, frame, window, zoom, centre, placement, polarity and presentation state. No names, only identifiers and numbers.
 */
import { clampZoom } from "../../geometry/view_transform.js";
import { firstView, stateWindow } from "../../viewport/view_state.js";
import { parseWindow } from "../../viewport/window_choice.js";

const SEPARATOR = "~";

function short(number) {
  return String(Number(number.toFixed(2)));
}

/** What one viewport shows, as text; empty for an empty one. @param {import("../../viewport/viewport.js").Viewport} viewport */
export function writeView(viewport) {
  const { manifest, view, askedFrame } = viewport;
  if (!manifest) return "";
  const zoom = view.zoom === "fit" ? "" : short(view.zoom);
  const center = view.zoom === "fit" ? "" : `${short(view.center.x)},${short(view.center.y)}`;
  const placement = `${view.rotation || ""}${view.flipped ? "f" : ""}`;
  const polarity = view.inverted === Boolean(manifest.inverted) ? "" : view.inverted ? "i" : "n";
  const map = view.map === "grey" ? "" : view.map;
  const parts = [manifest.stack, askedFrame, view.window.key ?? "", zoom, center, placement, polarity, view.presentationState, map];
  return parts.join(SEPARATOR).replace(/~+$/, "");
}

/** @returns {{stack: string, frame: number, rest: string[]}|null} */
export function readView(text) {
  const [stack, frame, ...rest] = (text ?? "").split(SEPARATOR);
  if (!/^[0-9.]{1,70}(\.[a-z]{3})?$/.test(stack)) return null;
  return { stack, frame: Math.max(1, Number.parseInt(frame, 10) || 1), rest };
}

/** The view that a link asks for, once the manifest is known; what makes no sense is left as the stack is first shown. */
export function viewFrom([window = "", zoom = "", center = "", placement = "", polarity = "", state = "", map = ""], manifest) {
  const view = firstView(manifest);
  view.window = parseWindow(window, manifest) ?? view.window;
  const known = state && manifest.presentation_states?.find((one) => one.SOPInstanceUID === state);
  if (known) Object.assign(view, { presentationState: state, inverted: false, window: window ? view.window : stateWindow(known) });
  const number = Number.parseFloat(zoom);
  const [x, y] = center.split(",").map(Number.parseFloat);
  if (number > 0 && Number.isFinite(x) && Number.isFinite(y)) {
    view.zoom = clampZoom(number);
    view.center = { x, y };
  }
  const rotation = Number.parseInt(placement, 10) || 0;
  if ([90, 180, 270].includes(rotation)) view.rotation = rotation;
  view.flipped = placement.endsWith("f");
  if (polarity) view.inverted = polarity === "i";
  if (/^[a-z0-9-]{1,40}$/.test(map)) view.map = map;
  return view;
}

/** @param {{layout: string, active: number, views: string[], priors?: string[], screen?: number}} state priors: studies that
 *   views are of; screen: number of a window beside the first one */
export function linkQuery({ layout, active, views, priors = [], screen = 1 }) {
  const query = new URLSearchParams();
  if (screen > 1) query.set("screen", screen);
  if (layout !== "1x1") query.set("layout", layout);
  if (active > 0) query.set("active", active);
  for (const prior of priors) query.append("prior", prior);
  for (const view of views) query.append("view", view);
  // These are safe in a query and readable as they are.
  return query.toString().replaceAll("%7E", "~").replaceAll("%2C", ",");
}

/** @param {string} search of the page's address */
export function readLink(search) {
  const query = new URLSearchParams(search);
  const stack = query.get("stack");
  const views = query.getAll("view");
  return {
    screen: Math.max(1, Number.parseInt(query.get("screen") ?? "1", 10) || 1),
    layout: query.get("layout") ?? "",
    active: Math.max(0, Number.parseInt(query.get("active") ?? "0", 10) || 0),
    priors: query.getAll("prior").filter((uid) => /^[0-9.]{1,64}$/.test(uid)),
    views: (views.length ? views : stack ? [stack] : []).map(readView),
  };
}
