/**
 * Asks what is to be taken away and as what: the view on the screen is saved at once, everything else is a job whose file
 * waits on the jobs page.
 */
import { announce } from "../../core/announcer.js";
import { element } from "../../core/dom.js";
import { post, sendJson } from "../../core/requests.js";
import { appearanceQuery } from "../../viewport/window_choice.js";
import { openDialog } from "./dialog.js";
import { frameOf } from "./marking.js";
import { save, viewPicture } from "./view_picture.js";

const PICTURES = [["png", "PNG"], ["jpeg", "JPEG"]];
const SHEET = [["pdf", "PDF, six on a page"]];
const LOOPS = [["gif", "GIF"], ["apng", "animated PNG (every grey level)"]];
const FILM = ["mp4", "MP4"];
const MOST_FRAMES = 400;

const WHAT = Object.freeze([
  { id: "view", label: "This view, with what is drawn on it", forms: PICTURES },
  { id: "image", label: "This image, whole", forms: [...PICTURES, ...SHEET] },
  { id: "keys", label: "Key images of the study", forms: [...PICTURES, ...SHEET] },
  { id: "series", label: "This series", forms: [...LOOPS, ...SHEET, ...PICTURES] },
  { id: "study", label: "Files of the study, original", forms: [["dicom", "ZIP"], ["dicomdir", "ZIP with an index (DICOMDIR)"]] },
]);

/** The frame of a viewport as the portal draws it. */
function wanted(viewport, stack, frame) {
  const { manifest, view } = viewport;
  const look = manifest?.stack === stack ? appearanceQuery(view, manifest) : "";
  const { rotation = 0, flipped = false } = manifest?.stack === stack ? view : {};
  return { stack, frame, look, rotation, flipped };
}

/** Key images of readers and those that others sent, each once. */
async function keyFrames(viewport, store, foreign, library) {
  const own = store.all.filter((mark) => mark.kind === "key_image" && !mark.study);
  const keys = [...new Map([...own, ...foreign.keyImages].map((mark) => [`${mark.SOPInstanceUID} ${mark.FrameNumber}`, mark])).values()];
  const found = await Promise.all(keys.map(async (mark) => [mark.stack, frameOf(await library.manifest(mark.stack), mark)]));
  return found.filter(([, frame]) => frame).map(([stack, frame]) => wanted(viewport, stack, frame));
}

async function framesOf(what, { viewport, store, foreign, library }) {
  const { manifest, frame } = viewport;
  if (what === "image") return [wanted(viewport, manifest.stack, frame)];
  if (what === "keys") return keyFrames(viewport, store, foreign, library);
  if (what !== "series") return [];
  const numbers = manifest.frames.map((_, at) => at + 1).filter((number) => !manifest.frames[number - 1].reason);
  return numbers.slice(0, MOST_FRAMES).map((number) => wanted(viewport, manifest.stack, number));
}

function radios(name, legend, choices) {
  const rows = choices.map(([value, label], at) => element("label", { class: "export-choice" }, element("input", { type: "radio", name, value, checked: at === 0 }), label));
  return element("fieldset", { class: "export-set" }, element("legend", { text: legend }), ...rows);
}

/**
 * @param {{study: string, pane: object, store: object, foreign: object, library: object, rate: number|null, makesFilms: boolean,
 *   mayShare: boolean}} context
 */
export function openExport(context) {
  const what = radios("what", "What", WHAT.map(({ id, label }) => [id, label]));
  const forms = element("div");
  const names = element("input", { type: "checkbox", name: "with_names", checked: true });
  const status = element("p", { role: "status", class: "muted" });
  const button = element("button", { class: "button button-primary", type: "submit", text: "Save" });
  const named = element("label", { class: "export-choice" }, names, "Name, ID and birth date on the pictures");
  const node = element("form", { class: "export-form" }, what, forms, named, element("div", { class: "button-row" }, button, status));
  const deidentified = element("p", {}, element("a", { href: `/studies/${context.study}/deidentified`, text: "De-identified instead" }));
  const showForms = () => {
    const chosen = WHAT.find(({ id }) => id === new FormData(node).get("what"));
    forms.replaceChildren(radios("form", "As", chosen.id === "series" && context.makesFilms ? [...chosen.forms, FILM] : chosen.forms));
    if (chosen.id === "study" && context.mayShare) forms.append(deidentified);
    named.hidden = chosen.id === "study";
  };
  node.addEventListener("change", (event) => event.target.name === "what" && showForms());
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await take(context, Object.fromEntries(new FormData(node)), names.checked, status);
      announce(status.textContent);
    } catch (error) {
      status.textContent = error.message;
    }
    button.disabled = false;
  });
  showForms();
  openDialog("Save and export", node);
}

async function take(context, { what, form }, withNames, status) {
  const url = `/api/studies/${context.study}/exports`;
  if (what === "view") {
    await post(`${url}/view`, { with_names: withNames });
    const blob = await viewPicture(context.pane, { withNames, type: `image/${form}` });
    save(blob, `view.${form === "jpeg" ? "jpg" : form}`);
    status.textContent = "Saved.";
    return;
  }
  const frames = await framesOf(what, { viewport: context.pane.viewport, store: context.store, foreign: context.foreign, library: context.library });
  if (what !== "study" && !frames.length) {
    status.textContent = what === "keys" ? "No image is marked as a key image yet (k)." : "There is no image to save.";
    return;
  }
  const { jobs } = await sendJson(url, { form, with_names: withNames, frames, ...(context.rate && { rate: context.rate }) });
  status.replaceChildren("Being made: ", element("a", { href: jobs, target: "_blank", text: "see how far it is, and fetch it" }));
}
