/**
 * From a remark to what it is about.
 */
import { frameOf } from "../pages/viewer_parts/marking.js";
import { readLink } from "../pages/viewer_parts/view_link.js";

/** "S3 CT Thorax" @param {import("../pages/viewer_parts/stack_library.js").StackLibrary} library @param {string} uid */
export function seriesInWords(library, uid) {
  const entry = library.stacks.find((one) => one.SeriesInstanceUID === uid);
  if (!entry) return "a series";
  const number = entry.SeriesNumber === null || entry.SeriesNumber === undefined ? "" : `S${entry.SeriesNumber}`;
  return [number, entry.Modality, entry.SeriesDescription].filter(Boolean).join(" ");
}

/**
 * The view in the active viewport that a remark asks for: the one with its image, else the first.
 * @param {string} view query of the viewer's address
 */
export function viewOfRemark(view) {
  const { views, active } = readLink(view ? `?${view}` : "");
  return views[active] ?? views.find(Boolean) ?? null;
}

/** Shows what a remark is about in the active viewport. */
export async function jumpToRemark(remark, { viewer, library, problem }) {
  const pane = viewer.active;
  const wanted = viewOfRemark(remark.view);
  if (wanted && library.entry(wanted.stack)) await viewer.show(pane, wanted.stack, wanted);
  else if (remark.series) {
    const entry = library.drawable.find((one) => one.SeriesInstanceUID === remark.series);
    if (!entry) return problem("The series of this remark is not here any more.");
    await viewer.show(pane, entry.stack);
  }
  if (!remark.image) return undefined;
  const shown = await stackWith(library, remark, pane.viewport.manifest);
  if (!shown) return problem("The image of this remark is not here any more.");
  if (pane.viewport.manifest?.stack !== shown.stack) await viewer.show(pane, shown.stack);
  pane.cine.stop();
  return pane.viewport.jump(shown.frame);
}

/** The stack and frame of a remark's image: where one looks already, else wherever it is. */
async function stackWith(library, { image, frame }, manifest) {
  const place = { SOPInstanceUID: image, FrameNumber: frame ?? 1 };
  const here = frameOf(manifest, place);
  if (here) return { stack: manifest.stack, frame: here };
  for (const { stack } of library.drawable) {
    const found = frameOf(await library.manifest(stack), place);
    if (found) return { stack, frame: found };
  }
  return null;
}
