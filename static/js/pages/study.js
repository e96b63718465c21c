/**
 * The study's page: says when images have arrived, and follows the current patient of the browser.
 */
import { announce } from "../core/announcer.js";
import { CurrentPatient } from "../core/current_patient.js";
import { pageData } from "../core/dom.js";
import { Arrivals } from "./viewer_parts/arrivals.js";
import { coverEndedSession, coverOtherPatient } from "./viewer_parts/covers.js";

const data = pageData("study-data");
const news = document.getElementById("news");
const arrivals = new Arrivals(data.manifest_url, data.manifest);

arrivals.addEventListener("news", () => {
  const wasHidden = news.hidden;
  news.hidden = !arrivals.hasNews;
  news.querySelector("[data-news]").textContent = `${arrivals.sentence}: show`;
  if (wasHidden && !news.hidden) announce(arrivals.sentence);
});
news.querySelector("button").addEventListener("click", () => location.reload());

coverEndedSession(data.sign_in);
const current = new CurrentPatient({ patient: data.patient.key, study: data.study.StudyInstanceUID });
coverOtherPatient(document.getElementById("study-body"), current, [data.patient.name, data.patient.id].filter(Boolean).join(" · "));
current.addEventListener("follow", ({ detail }) => location.assign(`/studies/${detail.study}/`));
current.claim();
