/**
 * The report's own page: the panel alone, following the current patient of the browser.
 */
import { CurrentPatient } from "../core/current_patient.js";
import { pageData } from "../core/dom.js";
import { ReportApi } from "../reports/report_api.js";
import { ReportPanel } from "../reports/report_panel.js";
import { HeldClaim } from "../worklist/held_claim.js";
import { coverEndedSession, coverOtherPatient } from "./viewer_parts/covers.js";

const data = pageData("report-data");
const claim = new HeldClaim(data.study);
const panel = new ReportPanel(document.getElementById("report"), new ReportApi(data), claim);

coverEndedSession(data.sign_in);
const current = new CurrentPatient({ patient: data.patient, study: data.study });
coverOtherPatient(document.getElementById("report-body"), current, data.patient_name);
current.addEventListener("change", () => panel.allow(current.isCurrent));
current.claim();

await claim.connect();
await panel.load();
panel.focus();
