/**
 * Asks for a derived series of the stack that is shown: what is done, with which numbers, each with its unit.
 */
import { announce } from "../../core/announcer.js";
import { element } from "../../core/dom.js";
import { post } from "../../core/requests.js";
import { openDialog } from "./dialog.js";

const KINDS = Object.freeze([
  {
    kind: "enhance",
    label: "Enhanced copy: local contrast (CLAHE), then sharpness (unsharp mask)",
    fields: [
      ["tile_mm", "Contrast tile", "mm", 40, 2, 500],
      ["clip", "Contrast clip (1 leaves it as it is)", "", 2, 1, 20],
      ["radius_mm", "Sharpness radius", "mm", 1, 0.05, 20],
      ["amount", "Sharpness amount (0 leaves it as it is)", "", 0.5, 0, 5],
    ],
    isFor: () => true,
  },
  {
    kind: "mip",
    label: "Maximum intensity projection of slabs",
    fields: [
      ["thickness_mm", "Slab thickness", "mm", 10, 0.5, 500],
      ["step_mm", "From one slab to the next", "mm", 5, 0.1, 500],
    ],
    isFor: (manifest) => manifest.Modality === "CT" && manifest.frames.length > 1,
  },
]);

function field(kind, [name, label, unit, value, least, most]) {
  const id = `process-${kind}-${name}`;
  const input = element("input", { id, name, type: "number", step: "any", min: least, max: most, value, required: true });
  return element("p", { class: "process-field" }, element("label", { for: id, text: label }), input, element("span", { class: "muted", text: unit }));
}

function form(one, manifest, dialogOf) {
  const status = element("p", { role: "status", class: "muted" });
  const button = element("button", { class: "button", type: "submit", text: "Make it" });
  const node = element(
    "form",
    { class: "process-form" },
    element("h3", { text: one.label }),
    ...one.fields.map((entry) => field(one.kind, entry)),
    element("div", { class: "button-row" }, button, status),
  );
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const values = Object.fromEntries([...new FormData(node)].map(([name, value]) => [name, Number(value)]));
      await post(`/api/stacks/${manifest.stack}/${one.kind}`, values);
      status.replaceChildren("Under way: it will be announced here when it has been made. ", element("a", { href: "/jobs/", text: "Jobs" }));
      announce(status.textContent);
    } catch (error) {
      status.textContent = error.message;
      button.disabled = false;
    }
    dialogOf().querySelector("[role=status]")?.scrollIntoView({ block: "nearest" });
  });
  return node;
}

/** @param {object} manifest of the stack */
export function openProcessing(manifest) {
  const forms = KINDS.filter((one) => one.isFor(manifest)).map((one) => form(one, manifest, () => dialog));
  const dialog = openDialog(
    "Make a processed series",
    element("p", { class: "muted", text: "The original stays as it is; the result is a new series beside it, marked as processed." }),
    ...forms,
  );
}
