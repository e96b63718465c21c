/**
 * One remark in the panel: who, when, about what, and what can be done with it.
 */
import { element } from "../core/dom.js";

/** "2026-11-24 10:42" in the reader's zone. @param {string} at */
export function momentOf(at) {
  const date = new Date(at);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What a remark is about, in words; empty for the whole study. @param {object} remark @param {(uid: string) => string} seriesName */
export function aboutOf({ image, frame, region, series, view }, seriesName) {
  if (region) return `${region.kind} on an image`;
  if (image) return frame > 1 ? `image, frame ${frame}` : "an image";
  if (series) return seriesName(series);
  return view ? "a view" : "";
}

/**
 * @param {object} remark
 * @param {{show: (remark: object) => void, act: (id: number, action: string) => void, seriesName: (uid: string) => string}} does
 */
export function remarkRow(remark, { show, act, seriesName }) {
  const about = remark.text === null ? "" : aboutOf(remark, seriesName);
  const change = remark.text === null ? "restore" : "remove";
  return element(
    "div",
    { class: "talk-remark", "data-remark": remark.id },
    element(
      "p",
      { class: "talk-head" },
      element("strong", { text: remark.author }),
      element("time", { class: "muted figures", datetime: remark.at, text: momentOf(remark.at) }),
      about && element("button", { class: "talk-show", type: "button", text: about, title: "Show it", onclick: () => show(remark) }),
    ),
    element("p", { class: remark.text === null ? "muted" : "talk-text", text: remark.text ?? "taken away by its author" }),
    remark.is_mine && element("button", { class: "talk-small", type: "button", text: remark.text === null ? "Bring back" : "Take away", onclick: () => act(remark.id, change) }),
  );
}
