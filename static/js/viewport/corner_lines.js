/**
 * What stands in the corners of a viewport, as lines of text; no DOM here.
 */
import { placementInWords } from "../geometry/view_transform.js";
import { isStateAbout } from "./tile_address.js";
import { windowOn } from "./view_state.js";
import { windowAsUptake, windowInWords } from "./window_choice.js";

const SIDES = Object.freeze({ L: "left", R: "right", B: "both sides", U: "unpaired" });

/** Name, age and identifiers: shown always. */
export function identityLines(patient) {
  return [patient.name || "(no name)", patient.facts.join(" · "), patient.id || "(no ID)"].filter(Boolean);
}

/** Modality and description of a series, the modality only once. */
export function seriesName({ Modality: modality, SeriesDescription: description, label }) {
  const name = description || label || "";
  return !modality || new RegExp(`^${modality}\\b`, "i").test(name) ? name || modality : `${modality} ${name}`.trim();
}

export function studyLines(study, manifest) {
  const series = seriesName(manifest);
  const view = [manifest.ViewPosition, manifest.SeriesDescription ? manifest.label : ""].filter(Boolean);
  return [study.description, [study.date, study.time].filter(Boolean).join(" "), series, [...new Set(view)].join(" ")].filter(Boolean);
}

/** What a picture was made by; permanent on every processed one. */
export function processedLine({ processed }) {
  return !processed || processed.startsWith("processed") ? (processed ?? "") : `processed: ${processed}`;
}

/** "side: left", from the frame's laterality only; never from a description. */
export function sideLine(frame) {
  const side = SIDES[frame?.Laterality];
  return side && frame.Laterality !== "U" ? `side: ${side}` : "";
}

export function windowLine(viewport) {
  const { view, manifest } = viewport;
  const isUnusual = view.inverted !== (!view.presentationState && Boolean(manifest.inverted));
  const shown = windowOn(view, manifest, viewport.frame);
  const text = windowInWords(shown, manifest, viewport.frame);
  const uptake = windowAsUptake(shown, manifest, viewport.frame);
  return [text, uptake, stateWords(viewport, text), isUnusual ? "inverted" : view.inverted ? "black on white" : ""].filter(Boolean).join(" · ");
}

/** That a presentation state lies over the picture, or that it is not about this image; nothing where the window says it. */
function stateWords({ view, manifest, frame }, windowText) {
  if (!view.presentationState) return "";
  if (!isStateAbout(manifest, view.presentationState, frame)) return "without the presentation state";
  return windowText.includes("presentation state") ? "" : "presentation state";
}

/** What must be known before a length is believed; empty where there is nothing to say. */
export function scaleLine({ PixelSpacing: spacing, calibration }) {
  const isUltrasound = (calibration?.regions ?? []).length > 0;
  return isUltrasound ? "" : (spacing?.note ?? "");
}

export function zoomLine(viewport) {
  const zoom = viewport.zoom;
  const digits = zoom >= 10 ? 0 : zoom >= 1 ? 1 : zoom >= 0.01 ? 2 : 4;
  return zoom === 1 ? "1:1" : `x${zoom.toFixed(digits)}`;
}

/** For as long as the picture does not lie as it was sent. */
export function placementLine(viewport) {
  return placementInWords(viewport.view);
}

/** "S2 · Im 87/512" with the frame that is on the screen, and the one that is asked for while it is on its way. */
export function frameLine(viewport) {
  const { manifest, frame, frames, askedFrame } = viewport;
  const series = manifest.SeriesNumber === null || manifest.SeriesNumber === undefined ? "" : `S${manifest.SeriesNumber}`;
  const asked = askedFrame === frame ? "" : ` → ${askedFrame}`;
  return [series, `Im ${frame}/${frames}${asked}`].filter(Boolean).join(" · ");
}

/** Thickness and position along the patient's axis, as far as the file says so. */
export function positionLine(frame) {
  if (!frame) return "";
  const thickness = frame.SliceThickness > 0 ? `${Number(frame.SliceThickness.toFixed(2))} mm` : "";
  return [thickness, locationOf(frame)].filter(Boolean).join(" · ");
}

const AXES = Object.freeze([["L", "R"], ["P", "A"], ["H", "F"]]);

/** "H 12.5": where the plane lies along the axis that it crosses most; nothing for oblique planes. */
function locationOf({ ImagePositionPatient: position, ImageOrientationPatient: orientation }) {
  if (!position || !orientation) return "";
  const [a, b, c, d, e, f] = orientation;
  const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
  const axis = normal.findIndex((part) => Math.abs(part) > 0.999);
  if (axis < 0) return "";
  const value = position[axis];
  return `${AXES[axis][value >= 0 ? 0 : 1]} ${Math.abs(value).toFixed(1)}`;
}
