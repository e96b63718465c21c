/**
 * A signed report as it is read: the version that stands, and its addenda.
 */
import { element, mark } from "../core/dom.js";
import { SECTIONS } from "./both_texts.js";
import { piecesOf, sinceInWords } from "./measure_words.js";

/** Hours and minutes in the browser's zone. @param {string} iso */
export function clock(iso) {
  return new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** 2026-11-24, in the browser's zone. @param {string} iso */
export function day(iso) {
  const date = new Date(iso);
  return [date.getFullYear(), String(date.getMonth() + 1).padStart(2, "0"), String(date.getDate()).padStart(2, "0")].join("-");
}

/** The words of a section, those that were measured as links. */
function textOf(version, name) {
  const links = (version.measurements ?? []).filter(({ section }) => section === name);
  const shown = piecesOf(version.text[name].trim(), links).flatMap(({ text, link }) => {
    if (!link) return [text];
    const note = sinceInWords(link.since, true);
    const words = element("a", { class: "report-measure", href: link.address, text, title: "Shows the image as it was measured" });
    return note ? [words, element("span", { class: "report-since", text: ` (${note})` })] : [words];
  });
  return element("p", { class: "report-text", dir: "auto" }, ...shown);
}

function partOf(version) {
  const sections = SECTIONS.filter(([name]) => version.text[name]?.trim());
  const verb = version.kind === "addendum" ? "Addendum signed" : `Signed as ${version.kind}`;
  return element(
    "section",
    { class: "report-part" },
    ...sections.flatMap(([name, label]) => [element("h4", { text: label }), textOf(version, name)]),
    element("p", { class: "report-signature", text: `${verb} by ${version.author}, ${day(version.signed_at)} ${clock(version.signed_at)}` }),
  );
}

/** @param {object[]} versions oldest first @returns {HTMLElement|null} null where nothing was signed */
export function signedText(versions) {
  const base = versions.findLastIndex(({ kind }) => kind !== "addendum");
  if (base < 0) return null;
  const standing = versions.slice(base);
  const last = standing.at(-1).kind;
  const title = { preliminary: "Preliminary report", final: "Final report", addendum: "Final report with addendum" }[last];
  const shape = mark(last, "");
  shape.setAttribute("aria-hidden", "true");
  return element(
    "article",
    { class: "report-document", "aria-label": title },
    element("h3", { class: "report-title" }, shape, title),
    ...standing.map(partOf),
  );
}
