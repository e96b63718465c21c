/**
 * The report's own page: the panel alone, following the current patient of the browser.
 */
import { MarkMeasurer } from "../annotations/mark_measurer.js";
import { MarkSaver } from "../annotations/mark_saver.js";
import { MarkStore } from "../annotations/mark_store.js";
import { CurrentPatient } from "../core/current_patient.js";
import { pageData } from "../core/dom.js";
import { ReportApi } from "../reports/report_api.js";
import { ReportMeasures } from "../reports/report_measures.js";
import { ReportPanel } from "../reports/report_panel.js";
import { HeldClaim } from "../worklist/held_claim.js";
import { coverEndedSession, coverOtherPatient } from "./viewer_parts/covers.js";
import { StackLibrary } from "./viewer_parts/stack_library.js";
import { linkQuery } from "./viewer_parts/view_link.js";

const data = pageData("report-data");
const claim = new HeldClaim(data.study);
const measures = measuresAlone();
const panel = new ReportPanel(document.getElementById("report"), new ReportApi(data), claim, measures);

/** Measurements without a viewer: each with its image as it is first shown. */
function measuresAlone() {
  const store = new MarkStore();
  const address = `/studies/${data.study}`;
  const saver = new MarkSaver(store, { url: `/api${address}/annotations`, key: `report:${data.study}` });
  const viewOf = (mark, frame) => linkQuery({ layout: "1x1", active: 0, views: [`${mark.stack}~${frame}`] });
  const made = new ReportMeasures({ store, saver, measurer: new MarkMeasurer(), library: new StackLibrary(data.manifest, {}), viewOf });
  saver.load().then(() => made.loaded());
  return made;
}

coverEndedSession(data.sign_in);
const current = new CurrentPatient({ patient: data.patient, study: data.study });
coverOtherPatient(document.getElementById("report-body"), current, data.patient_name);
current.addEventListener("change", () => panel.allow(current.isCurrent));
current.claim();

await claim.connect();
await panel.load();
panel.focus();
