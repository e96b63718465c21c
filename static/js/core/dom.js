/**
 * Small helpers for building elements. Text always goes through textContent.
 */

/** Folder of the static files, from the address of this module, which lies in js/core/. */
const STATIC_ROOT = new URL("../../", import.meta.url);

/**
 * Makes an element.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] "class", "data-…", "aria-…", "text", or an "on…" listener
 * @param {...(Node|string|null|undefined|false)} children
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = String(value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes an SVG element with attributes. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** An icon of the set, or of our own "shape-…"; its name for people belongs to the button around it. */
export function icon(name, { small = false } = {}) {
  const file = name.startsWith("shape-") ? "icons/shapes.svg" : "vendor/icons.svg";
  const href = new URL(`${file}#${name}`, STATIC_ROOT).href;
  return svg("svg", { class: small ? "icon icon-small" : "icon", "aria-hidden": "true" }, svg("use", { href }));
}

/** A mark of state, named for people. */
export function mark(name, label) {
  const href = new URL(`icons/marks.svg#${name}`, STATIC_ROOT).href;
  const title = svg("title");
  title.textContent = label;
  return svg("svg", { class: `mark mark-${name}`, role: "img", "aria-label": label }, title, svg("use", { href }));
}

/** Sets an element's text only when it differs, so that screen readers and layout are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Reads a value that the server wrote with json_script; undefined when it is not there. */
export function pageData(id) {
  const node = document.getElementById(id);
  return node ? JSON.parse(node.textContent) : undefined;
}
