/**
 * Measurements of the viewer for its report: with the view that a viewport shows of them, and shown again in one.
 */
import { ReportMeasures } from "../../reports/report_measures.js";
import { linkQuery, readView, writeView } from "./view_link.js";

/** @param {{viewer: import("./viewer.js").Viewer, store: object, saver: object, measurer: object, library: object}} parts */
export function measuresForReport({ viewer, ...parts }) {
  const viewOf = (mark, frame) => {
    const shown = viewer.panes.map((pane) => pane.viewport).find(({ manifest, askedFrame }) => manifest?.stack === mark.stack && askedFrame === frame);
    return linkQuery({ layout: "1x1", active: 0, views: [shown ? writeView(shown) : `${mark.stack}~${frame}`] });
  };
  const open = (entry) => {
    const view = readView(new URLSearchParams(entry.view).get("view"));
    if (!view || !parts.library.entry(view.stack)) return false;
    viewer.show(viewer.active, view.stack, view).then(() => viewer.active.selectMark(entry.id));
    viewer.focus();
    return true;
  };
  return new ReportMeasures({ ...parts, viewOf, open });
}
