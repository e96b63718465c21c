/**
 * The viewer's page: wires panes, tools, keys, menus, strip, address, arrivals and covers together.
 */
import { MarkMeasurer } from "../annotations/mark_measurer.js";
import { MarkSaver } from "../annotations/mark_saver.js";
import { MarkStore } from "../annotations/mark_store.js";
import { PriorMarks } from "../annotations/prior_marks.js";
import { announce } from "../core/announcer.js";
import { CurrentPatient } from "../core/current_patient.js";
import { element, pageData, setText } from "../core/dom.js";
import { preference, setPreference } from "../core/preferences.js";
import { post } from "../core/requests.js";
import { Hanger } from "../hanging/hanger.js";
import { PriorBar } from "../hanging/prior_bar.js";
import { Priors } from "../hanging/priors.js";
import { Linker } from "../linking/linker.js";
import { Lines } from "../linking/lines.js";
import { LinkMarks } from "../linking/link_marks.js";
import { ForeignMarks } from "../objects/foreign_marks.js";
import { OverlayStore } from "../objects/overlay_store.js";
import { saveView } from "../objects/view_saving.js";
import { ReportApi } from "../reports/report_api.js";
import { ReportPanel } from "../reports/report_panel.js";
import { ReportSide } from "../reports/report_side.js";
import { ToolBox } from "../tools/tool_box.js";
import { BitmapCache } from "../viewport/bitmap_cache.js";
import { TileLoader } from "../viewport/tile_loader.js";
import { windowOn } from "../viewport/view_state.js";
import { ValueDrawing } from "../viewport/value_drawing.js";
import { explicitWindow, windowInWords } from "../viewport/window_choice.js";
import { Arrivals } from "./viewer_parts/arrivals.js";
import { openChart } from "./viewer_parts/chart_dialog.js";
import { showClaim } from "./viewer_parts/claim_note.js";
import { makeCommands } from "./viewer_parts/commands.js";
import { ElsewhereList } from "./viewer_parts/elsewhere_list.js";
import { coverEndedSession, coverOtherPatient } from "./viewer_parts/covers.js";
import { openExport } from "./viewer_parts/export_dialog.js";
import { showOthers, talkAddress } from "./viewer_parts/others.js";
import { ofVisitors, watchShare } from "./viewer_parts/shared.js";
import { openHelp } from "./viewer_parts/help_dialog.js";
import { listenForKeys } from "./viewer_parts/key_bindings.js";
import { frameOf, Marking, saveWord } from "./viewer_parts/marking.js";
import { MeasuresPanel } from "./viewer_parts/measures_panel.js";
import { contextItems, layoutItems, linkItems, measureToolItems, rateItems, stateItems, windowItems } from "./viewer_parts/menus.js";
import { openMenu } from "./viewer_parts/menu.js";
import { openProcessing } from "./viewer_parts/process_dialog.js";
import { OverlayList } from "./viewer_parts/overlay_list.js";
import { measuresForReport } from "./viewer_parts/report_measures.js";
import { Shortcuts } from "./viewer_parts/shortcuts.js";
import { StackLibrary } from "./viewer_parts/stack_library.js";
import { acceptDrops, Strip } from "./viewer_parts/strip.js";
import { openTags } from "./viewer_parts/tag_dialog.js";
import { Toolbar } from "./viewer_parts/toolbar.js";
import { linkQuery, readLink, writeView } from "./viewer_parts/view_link.js";
import { Viewer } from "./viewer_parts/viewer.js";
import { HeldClaim } from "../worklist/held_claim.js";
import { openNext } from "../worklist/next_study.js";

/** The address follows the view this long after it has come to rest. */
const ADDRESS_AFTER_MS = 300;
const SAID_FOR_MS = 8000;

const data = pageData("viewer-data");
const container = document.getElementById("viewports");
const cache = new BitmapCache();
const loader = new TileLoader(cache);
const drawing = new ValueDrawing();
const linked = document.getElementById("first-picture")?.getAttribute("src") ?? "";
const store = new MarkStore();
const saver = new MarkSaver(store, {
  url: `/api/studies/${data.study.StudyInstanceUID}/annotations`,
  key: `${data.user}:${data.study.StudyInstanceUID}`,
});
const foreign = new ForeignMarks(`/api/studies/${data.study.StudyInstanceUID}/elsewhere`);
const overlays = new OverlayStore(data.study.StudyInstanceUID);
const measurer = new MarkMeasurer();
const priorMarks = new PriorMarks(store);
const library = new StackLibrary(data.manifest, { study: data.study, patient: data.patient });
const isTouch = matchMedia("(pointer: coarse)").matches;
const firstTool = data.shared ? "window" : preference("tool", "window");
const tools = new ToolBox(isTouch ? "scroll" : firstTool, () => viewer?.panes ?? []);
let viewer = null;
let saidTimer = 0;
let commands = [];

/** A quiet word in the header. */
function say(text) {
  const note = document.getElementById("said");
  note.textContent = text;
  note.hidden = !text;
  announce(text);
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => (note.hidden = true), SAID_FOR_MS);
}

/** Windows of the number keys: the site's presets of the modality, else what the file itself names. */
function presetsOf(manifest) {
  if (!manifest || manifest.color) return [];
  const presets = (data.presets[manifest.Modality] ?? []).map(explicitWindow);
  return presets.length ? presets : (manifest.windows ?? []).filter(({ key }) => key !== "file" && key !== "auto");
}

const actions = {
  openMenu: (_pane, at) => openMenu(contextItems(commands, tools), { at, label: "Tools and picture" }),
  maximise: (pane) => viewer.maximise(pane),
};

viewer = new Viewer(container, library, { loader, cache, drawing, linked, store, foreign, overlays, measurer, tools, facts: library, actions });
const linker = new Linker(viewer);
const lines = new Lines(container, viewer, linker);
new LinkMarks(container, viewer, linker);
const priors = new Priors(data.study.StudyInstanceUID, data.priors, viewer, linker);
new PriorBar(document.getElementById("priors"), priors, viewer);
const hanger = new Hanger(data.study.StudyInstanceUID, viewer, linker, priors);

const claim = data.shared ? null : new HeldClaim(data.study.StudyInstanceUID);
const forReport = data.may_report ? measuresForReport({ viewer, store, saver, measurer, library }) : null;
const report = data.may_report ? reportBeside() : null;

function reportBeside() {
  const api = new ReportApi({ study: data.study.StudyInstanceUID, patient: data.patient.key });
  const side = new ReportSide(document.getElementById("report-side"), (place) => new ReportPanel(place, api, claim, forReport));
  side.addEventListener("left", () => viewer.focus());
  side.addEventListener("change", () => updateSoon());
  if (claim.isExpected) side.showForReading();
  return side;
}
const marking = new Marking(viewer, store);
const write = data.may_process ? () => post(`/api/studies/${data.study.StudyInstanceUID}/annotations/export`, {}) : null;
const elsewhere = new ElsewhereList({ foreign, library, jump: (mark) => marking.jumpToForeign(mark), study: data.study.StudyInstanceUID }).element;
const measures = new MeasuresPanel({ store, saver, measurer, marking, library, viewer, more: [elsewhere, new OverlayList(overlays, viewer).element], write, intoReport: report ? (id) => ui.intoReport(id) : null, openChart: (mark) => ui.openChart(mark), close: () => ui.toggleMeasures() });
document.getElementById("viewer-body").append(measures.element);

/** Writes the present view of a viewport as a presentation state. */
async function saveViewOf(viewport) {
  try {
    await saver.flush();
    await saveView(viewport);
    say("the view is being saved as a presentation state");
  } catch (error) {
    say(error.message);
  }
}

const ui = {
  report,
  intoReport: async (id) => {
    if (!report.isShown) await report.toggle();
    await report.panel.insertMeasurement(id);
  },
  mayDownload: Boolean(data.may_download),
  openWindows: () =>
    openMenu(windowItems(viewer.active.viewport, { presets: presetsOf(viewer.active.viewport.manifest), maps: data.color_maps, drawing }), { below: toolbar.button("windows"), label: "Windows" }),
  openStates: () => openMenu(stateItems(viewer.active.viewport, data.may_process ? saveViewOf : null), { below: toolbar.button("states"), label: "Presentation states" }),
  openLayouts: () => openMenu(layoutItems(viewer), { below: toolbar.button("layout"), label: "Layout" }),
  openLinks: () => openMenu(linkItems(linker), { below: toolbar.button("links"), label: "What is linked" }),
  mayHang: Boolean(data.may_process),
  hangLikeThis: async () => {
    try {
      say(`saved as “${await hanger.save()}”`);
    } catch (error) {
      say(error.message);
    }
  },
  mayRead: Boolean(data.may_process),
  openNext: async () => {
    try {
      await openNext(new URLSearchParams({ open: data.study.StudyInstanceUID }));
    } catch (error) {
      say(error.message);
    }
  },
  openRates: () => openMenu(rateItems(viewer.active.cine), { below: toolbar.button("cine-rate"), label: "Cine rate" }),
  openHelp: () => openHelp(commands, presetsOf(viewer.active.viewport.manifest), shortcuts),
  mayProcess: Boolean(data.may_process),
  openProcessing: () => openProcessing(viewer.active.viewport.manifest),
  openMeasureTools: () => openMenu(measureToolItems(commands), { below: toolbar.button("measure-tools"), label: "Measuring tools" }),
  openChart: async (mark) => {
    const manifest = await library.manifest(mark.stack);
    openChart(mark, frameOf(manifest, mark), store.calibrated(manifest, mark).byHand);
  },
  areMeasuresOpen: () => measures.isOpen,
  toggleMeasures: () => {
    measures.setOpen(!measures.isOpen);
    updateSoon();
  },
  openExport: () => {
    const pane = viewer.active;
    const { value, isFromFile } = pane.cine.rate;
    openExport({ study: data.study.StudyInstanceUID, pane, store, library, rate: isFromFile ? null : value });
  },
  mayTalk: Boolean(data.may_talk),
  openTalk: () => window.open(talkAddress(data.study.StudyInstanceUID, viewer), "_blank", "noopener"),
  openTags: () => openTags(viewer.active.viewport.frameFacts),
  openMenuOfActive: () => {
    const box = viewer.active.surface.getBoundingClientRect();
    actions.openMenu(viewer.active, { x: box.left + box.width / 2, y: box.top + box.height / 2 });
  },
  download: () => location.assign(`/api/instances/${viewer.active.viewport.frameFacts.SOPInstanceUID}/file`),
};

commands = makeCommands({ viewer, tools, store, ui, marking, presetsOf, drawing, linker, lines, priors });
if (data.shared) commands = ofVisitors(commands);
const shortcuts = new Shortcuts(commands, data.shortcuts);
const toolbar = new Toolbar(commands, {
  windowText: () => {
    const { manifest, view, askedFrame } = viewer.active?.viewport ?? {};
    return manifest ? windowInWords(windowOn(view, manifest, askedFrame), manifest, askedFrame) || "Window" : "Window";
  },
  rateText: () => {
    const { cine, viewport } = viewer.active ?? {};
    return viewport?.frames > 1 ? `${Number(cine.rate.value.toFixed(1))}/s` : "";
  },
});
document.getElementById("toolbar").replaceChildren(toolbar.element);
listenForKeys(container, commands);
const strip = new Strip(document.getElementById("strip"), viewer, store, foreign);
shortcuts.addEventListener("change", () => toolbar.retitle());
acceptDrops(container, viewer);

// --- the tool bar and the address follow the view ----------------------------------------------------------------

let isUpdatePlanned = false;
function updateSoon() {
  if (isUpdatePlanned) return;
  isUpdatePlanned = true;
  requestAnimationFrame(() => {
    isUpdatePlanned = false;
    toolbar.update();
    for (const pane of viewer.panes) pane.surface.dataset.tool = tools.activeId;
  });
}

let addressTimer = 0;
function addressSoon() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    const views = viewer.panes.map((pane) => writeView(pane.viewport));
    const query = linkQuery({ layout: viewer.layout.name, active: viewer.activeIndex, views, priors: priors.shown });
    history.replaceState(history.state, "", `${location.pathname}?${query}`);
  }, ADDRESS_AFTER_MS);
}

for (const name of ["view", "active", "layout", "shown"]) viewer.addEventListener(name, updateSoon);
for (const name of ["view", "active", "layout"]) viewer.addEventListener(name, addressSoon);
for (const source of [linker, lines]) source.addEventListener("change", updateSoon);
priors.addEventListener("change", () => {
  strip.render();
  for (const { uid, words, study } of library.others) {
    priorMarks.load(uid, words);
    if (words?.startsWith("PRIOR")) report?.panel.compareWith([study.title, study.date].filter(Boolean).join(" "));
  }
});
priors.addEventListener("problem", ({ detail }) => say(detail));
tools.addEventListener("change", () => {
  if (!isTouch && !data.shared) setPreference("tool", tools.activeId);
  updateSoon();
});

// --- measurements are saved, and it is said in one quiet word ------------------------------------------------------

const word = element("output", { class: "save-word", "aria-live": "off" });
document.getElementById("toolbar").append(word);
saver.addEventListener("state", () => setText(word, saveWord(saver.state)));
saver.addEventListener("conflict", ({ detail }) => {
  setText(word, detail);
  announce(detail);
});
store.addEventListener("change", updateSoon);
marking.addEventListener("change", updateSoon);
viewer.addEventListener("shown", updateSoon);

// --- what the page opens with ------------------------------------------------------------------------------------

async function open() {
  const link = readLink(location.search);
  if (!link.views.length && data.hanging) {
    hangStudy();
    return;
  }
  // A link may name stacks of priors; those that may not be seen stay away.
  await Promise.allSettled(link.priors.map((uid) => priors.load(uid)));
  const first = library.drawable[0] ?? library.stacks[0];
  const views = link.views.length ? link.views : first ? [{ stack: first.stack, frame: 1, rest: null }] : [];
  viewer.setLayout(link.layout, { fill: false });
  if (!link.views.length) {
    const others = library.drawable.slice(1, viewer.panes.length);
    views.push(...others.map(({ stack }) => ({ stack, frame: 1, rest: null })));
  }
  viewer.panes.forEach((pane, index) => {
    const view = views[index];
    if (!view) return;
    const known = library.entry(view.stack);
    if (known) viewer.show(pane, view.stack, view.rest ? view : null);
    else pane.viewport.show(null, { problem: "The series that this link names is not in this study, or not for you to see." });
    // The picture that came with the page stands until the first one is painted.
    pane.viewport.addEventListener("painted", () => forgetFirstPicture(pane.viewport));
  });
  viewer.focus(Math.min(link.active, viewer.panes.length - 1));
  strip.render();
  updateSoon();
}

/** As a protocol says; on a phone only its first picture. */
function hangStudy() {
  const { hanging } = data;
  const isNarrow = matchMedia("(max-width: 40rem)").matches;
  const hung = hanger.hang(isNarrow ? { ...hanging, layout: "1x1", cells: hanging.cells.slice(0, 1) } : hanging);
  for (const { viewport } of viewer.panes) viewport.addEventListener("painted", () => forgetFirstPicture(viewport));
  viewer.focus(0);
  strip.render();
  updateSoon();
  return hung;
}

function forgetFirstPicture(viewport) {
  if (viewport.hasPicture || viewport.problem) document.getElementById("first-picture")?.remove();
}

// --- arrivals, session, patient ----------------------------------------------------------------------------------

const arrivals = new Arrivals(data.manifest_url, data.manifest);
const news = document.getElementById("news");
arrivals.addEventListener("news", () => {
  const wasHidden = news.hidden;
  news.hidden = !arrivals.hasNews;
  news.querySelector("[data-news]").textContent = `${arrivals.sentence}: show`;
  if (wasHidden && !news.hidden) announce(arrivals.sentence);
  writeHeldBack(arrivals.latest.held_back);
});
news.querySelector("button").addEventListener("click", async () => {
  news.hidden = true;
  await viewer.renew(arrivals.accept());
  strip.render();
  viewer.focus();
});

function writeHeldBack(count) {
  const note = document.getElementById("held-back");
  note.hidden = !count;
  note.querySelector("[data-held-back]").textContent =
    count === 1 ? "1 image of this study is held back" : `${count} images of this study are held back`;
}

open();
if (data.shared) watchShare(data.shared);
else followPerson();

/** What only somebody with an account has: a session, a current patient, measurements that are kept, a claim. */
function followPerson() {
  coverEndedSession(data.sign_in);
  const current = new CurrentPatient({ patient: data.patient.key, study: data.study.StudyInstanceUID });
  coverOtherPatient(document.getElementById("viewer-body"), current, [data.patient.name, data.patient.id].filter(Boolean).join(" · "));
  current.addEventListener("change", () => report?.panel.allow(current.isCurrent));
  current.addEventListener("follow", ({ detail }) => location.assign(`/studies/${detail.study}/viewer/`));
  current.claim();
  saver.load().then(() => forReport?.loaded());
  foreign.load();
  overlays.load();
  showOthers(document.getElementById("others"), data.study.StudyInstanceUID);
  showClaim(document.getElementById("claim"), claim, data.study.StudyInstanceUID);
  claim.connect().then(() => report?.settle());
}
