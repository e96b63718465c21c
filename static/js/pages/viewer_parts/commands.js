/**
 * What a reader can do, as one table: keys, tool bar, menus and the list of keys are all made from it.
 */
import { ownWindow } from "../../viewport/view_state.js";
import { explicitWindow } from "../../viewport/window_choice.js";

/**
 * @typedef {object} Command
 * @property {string} id
 * @property {string} label
 * @property {string} group heading in the list of keys
 * @property {string[]} [keys] as key_bindings.js writes them
 * @property {string} [icon]
 * @property {() => void} run
 * @property {() => boolean} [isOn] for what can be on
 * @property {() => boolean} [isPossible]
 */

/** Pixels of a pan and factor of a zoom by key. */
const KEY_PAN_PX = 40;
const KEY_ZOOM = 1.25;
const KEY_WINDOW_SHARE = 0.05;

/**
 * @param {object} context viewer, tools, store, ui (menus and dialogs), presetsOf(modality), drawing, linker, lines, priors
 * @returns {Command[]}
 */
export function makeCommands(context) {
  const { viewer, ui } = context;
  const viewport = () => viewer.active.viewport;
  const hasPicture = () => Boolean(viewport()?.manifest);
  return [
    ...toolCommands(context),
    ...windowCommands(context, viewport, hasPicture),
    ...placementCommands(viewport, hasPicture),
    {
      id: "squares",
      label: "Pixels as squares",
      group: "Picture",
      run: () => context.drawing.setSmooth(!context.drawing.isSmooth),
      isOn: () => !context.drawing.isSmooth,
      isPossible: hasPicture,
    },
    ...frameCommands(viewer, viewport, ui),
    ...linkCommands(context),
    { id: "layout", label: "Layout", group: "Page", keys: ["g"], icon: "layout-grid", run: () => ui.openLayouts() },
    {
      id: "maximise",
      label: "Maximise",
      group: "Page",
      keys: ["m"],
      icon: "fullscreen",
      run: () => viewer.maximise(),
      isOn: () => viewer.isMaximised,
      isPossible: () => viewer.panes.length > 1,
    },
    {
      id: "text",
      label: "Text on images",
      group: "Page",
      keys: ["t"],
      icon: "captions",
      run: () => viewer.setText(!viewer.hasText),
      isOn: () => viewer.hasText,
    },
    ...measureCommands(context),
    {
      id: "report",
      label: "Report",
      group: "Page",
      keys: ["d"],
      icon: "pencil",
      run: () => ui.report.toggle(),
      isOn: () => Boolean(ui.report?.isShown),
      isPossible: () => Boolean(ui.report),
    },
    { id: "next-study", label: "Read the next study", group: "Page", keys: ["n"], icon: "play", run: () => ui.openNext(), isPossible: () => ui.mayRead },
    { id: "talk", label: "Discussion", group: "Page", icon: "message-square", run: () => ui.openTalk(), isPossible: () => hasPicture() && ui.mayTalk },
    { id: "tags", label: "DICOM elements", group: "Page", icon: "tags", run: () => ui.openTags(), isPossible: hasPicture },
    {
      id: "download",
      label: "Download original",
      group: "Page",
      icon: "download",
      run: () => ui.download(),
      isPossible: () => hasPicture() && ui.mayDownload,
    },
    {
      id: "export",
      label: "Save and export",
      group: "Page",
      keys: ["Ctrl+s"],
      icon: "image",
      run: () => ui.openExport(),
      isPossible: () => hasPicture() && ui.mayDownload && viewer.active.keepsMarks,
    },
    {
      id: "process",
      label: "Make a processed series",
      group: "Page",
      icon: "layers",
      run: () => ui.openProcessing(),
      isPossible: () => hasPicture() && ui.mayProcess && !viewport().manifest.derived && !viewport().manifest.color,
    },
    { id: "menu", label: "Menu", group: "Page", keys: ["ContextMenu", "Shift+F10"], run: () => ui.openMenuOfActive() },
    { id: "help", label: "Keys", group: "Page", keys: ["?"], icon: "circle-question-mark", run: () => ui.openHelp() },
    { id: "cancel", label: "Cancel what is under way", group: "Page", keys: ["Escape"], run: () => cancel(viewer) },
  ];
}

function cancel(viewer) {
  const pane = viewer.active;
  pane.cine.stop();
  if (pane.cancel()) return;
  pane.viewport.stopWalking();
  pane.selectMark(null);
  if (viewer.isMaximised) viewer.maximise();
}

function toolCommands({ tools }) {
  const table = [
    ["window", "Window", "w", "contrast"],
    ["pan", "Pan", "p", "hand"],
    ["zoom", "Zoom", "z", "zoom-in"],
    ["scroll", "Scroll", "s", "gallery-vertical"],
    ["probe", "Probe", "b", "crosshair"],
    ["length", "Length", "l", "ruler"],
    ["angle", "Angle", "a", "shape-angle"],
    ["ellipse", "Ellipse", "e", "shape-ellipse"],
    ["rectangle", "Rectangle", null, "shape-rectangle"],
    ["circle", "Circle", null, "shape-circle"],
    ["polygon", "Polygon", null, "shape-polygon"],
    ["freehand", "Freehand", null, "shape-freehand"],
    ["bidirectional", "Bidirectional (RECIST)", "Shift+l", "shape-bidirectional"],
    ["cobb", "Cobb angle", null, "shape-cobb"],
    ["polyline", "Polyline", null, "activity"],
    ["line_distance", "Distance to a line", null, "shape-distance"],
    ["cardiothoracic", "Cardiothoracic ratio", null, "shape-ratio"],
    ["spine", "Name vertebrae", null, "list"],
    ["calibration", "Calibrate by hand", null, "ruler"],
    ["magnifier", "Magnifying glass", "Shift+m", "search"],
    ["arrow", "Arrow", null, "shape-arrow"],
    ["text", "Text", null, "type"],
  ];
  return table.map(([id, label, key, icon]) => ({
    id: `tool-${id}`,
    label,
    group: "Tools of the left button",
    keys: key ? [key] : [],
    icon,
    run: () => tools.choose(id),
    isOn: () => tools.activeId === id,
  }));
}

/** What is done to measurements, whatever their kind. */
function measureCommands({ viewer, tools, store, ui, marking }) {
  const one = (id, label, keys, icon, run, more = {}) => ({ id, label, group: "Measure", keys, icon, run, ...more });
  const pane = () => viewer.active;
  const nudges = [["Left", -1, 0], ["Right", 1, 0], ["Up", 0, -1], ["Down", 0, 1]];
  return [
    one("undo", "Undo measurement", ["Ctrl+z"], "undo-2", () => store.undo(), { isPossible: () => store.canUndo }),
    one("redo", "Redo measurement", ["Ctrl+y", "Ctrl+Shift+z"], "redo-2", () => store.redo(), { isPossible: () => store.canRedo }),
    one("remove", "Delete measurement", ["Delete", "Backspace"], null, () => pane().removeMark()),
    one("rename", "Name measurement", ["F2"], null, () => pane().renameMark()),
    one("copy-mark", "Copy measurement to other images", ["Shift+c"], null, () => pane().copyMark()),
    one("mark-chart", "Values of the measurement as a chart", ["Shift+v"], "activity", () => ui.openChart(pane().selectedMark), { isPossible: () => Boolean(pane()?.selectedMark) }),
    one("mark-to-report", "Put the measurement into the report", ["Shift+d"], null, () => ui.intoReport(pane().selectedMark.id), { isPossible: () => Boolean(ui.report && pane()?.selectedMark) }),
    one("snap", "Snap to ends of measurements", [], null, () => marking.toggleSnap(), { isOn: () => marking.snaps }),
    one("finish", "Close what is drawn", ["Enter"], null, () => tools.active.finish()),
    one("hide-marks", "Hide measurements", ["Shift+h"], "eye-off", () => marking.toggleHidden(), { isOn: () => marking.areHidden }),
    one("key-image", "Key image", ["k"], "star", () => marking.toggleKeyImage(), {
      isOn: () => marking.isKeyImage,
      isPossible: () => Boolean(pane()?.viewport.frameFacts) && pane().keepsMarks,
    }),
    one("measures", "Measurements", [], "list", () => ui.toggleMeasures(), { isOn: () => ui.areMeasuresOpen() }),
    one("measure-tools", "More measuring tools", [], "plus", () => ui.openMeasureTools()),
    ...nudges.map(([name, x, y]) => one(`nudge-${name}`, "Nudge measurement", [`Ctrl+Arrow${name}`], null, () => pane().nudgeMark(x, y))),
  ];
}

function windowCommands({ ui, presetsOf }, viewport, hasPicture) {
  const choose = (index) => {
    const preset = presetsOf(viewport().manifest)[index];
    if (preset) viewport().setWindow(preset);
  };
  const presets = Array.from({ length: 9 }, (_, index) => ({
    id: `preset-${index + 1}`,
    label: `Window preset ${index + 1} of the modality`,
    group: "Window",
    keys: [String(index + 1)],
    run: () => hasPicture() && choose(index),
  }));
  const auto = () => viewport().setWindow({ key: "auto", name: "" });
  return [
    { id: "windows", label: "Windows", group: "Window", icon: "list", run: () => ui.openWindows(), isPossible: hasPicture },
    ...presets,
    { id: "window-auto", label: "Automatic window", group: "Window", keys: ["0"], run: () => hasPicture() && auto() },
    {
      id: "window-stack",
      label: "The stack's own window",
      group: "Window",
      run: () => viewport().setWindow(ownWindow(viewport().view, viewport().manifest)),
    },
    {
      id: "states",
      label: "Presentation states",
      group: "Window",
      icon: "eye",
      run: () => ui.openStates(),
      isOn: () => hasPicture() && Boolean(viewport().view.presentationState),
      isPossible: () => hasPicture() && (ui.mayProcess || Boolean(viewport().manifest.presentation_states?.length)),
    },
    {
      id: "invert",
      label: "Invert",
      group: "Window",
      keys: ["i"],
      icon: "sun-moon",
      run: () => viewport().invert(),
      isOn: () => hasPicture() && viewport().view.inverted !== ownPolarity(viewport()),
      isPossible: hasPicture,
    },
    ...windowKeys(viewport, hasPicture),
  ];
}

/** Whether a picture is inverted before anybody asks: a presentation state says that in its grey levels. */
function ownPolarity({ view, manifest }) {
  return !view.presentationState && Boolean(manifest.inverted);
}

function windowKeys(viewport, hasPicture) {
  const change = (width, level) => {
    if (!hasPicture() || viewport().manifest.color) return;
    const start = viewport().beginWindowDrag();
    viewport().endWindowDrag();
    const by = Math.max(1, Math.round(start.width * KEY_WINDOW_SHARE));
    viewport().setWindow(
      explicitWindow({ ...start, width: Math.max(1, start.width + width * by), center: start.center + level * by }),
    );
  };
  return [
    { id: "wider", label: "Wider window", group: "Window", keys: ["Alt+ArrowRight"], run: () => change(1, 0) },
    { id: "narrower", label: "Narrower window", group: "Window", keys: ["Alt+ArrowLeft"], run: () => change(-1, 0) },
    { id: "level-up", label: "Higher level", group: "Window", keys: ["Alt+ArrowUp"], run: () => change(0, 1) },
    { id: "level-down", label: "Lower level", group: "Window", keys: ["Alt+ArrowDown"], run: () => change(0, -1) },
  ];
}

function placementCommands(viewport, hasPicture) {
  const middle = () => ({ x: viewport().size.width / 2, y: viewport().size.height / 2 });
  const pan = (x, y) => viewport().panBy(x * KEY_PAN_PX * viewport().size.ratio, y * KEY_PAN_PX * viewport().size.ratio);
  const one = (id, label, keys, icon, run, isOn) => ({ id, label, group: "Picture", keys, icon, run, isOn, isPossible: hasPicture });
  const isFit = () => hasPicture() && viewport().view.zoom === "fit";
  return [
    one("fit", "Fit", ["f"], "expand", () => viewport().fit(), isFit),
    one("one-to-one", "1:1 (device pixels)", ["o"], "scan", () => viewport().oneToOne(), () => hasPicture() && viewport().zoom === 1),
    one("zoom-in", "Larger", ["+", "="], null, () => viewport().zoomAt(middle(), KEY_ZOOM)),
    one("zoom-out", "Smaller", ["-"], null, () => viewport().zoomAt(middle(), 1 / KEY_ZOOM)),
    one("rotate", "Rotate right", ["r"], "rotate-cw", () => viewport().rotate(90)),
    one("rotate-back", "Rotate left", ["Shift+r"], "rotate-ccw", () => viewport().rotate(-90)),
    // The set names its icons by the axis of the flip, we by what changes places.
    one("flip-horizontal", "Flip left-right", ["h"], "flip-vertical-2", () => viewport().flip("horizontal")),
    one("flip-vertical", "Flip top-bottom", ["v"], "flip-horizontal-2", () => viewport().flip("vertical")),
    one("reset", "Reset", ["Space"], "undo-2", () => viewport().reset()),
    one("pan-left", "Pan", ["Shift+ArrowLeft"], null, () => pan(1, 0)),
    one("pan-right", "Pan", ["Shift+ArrowRight"], null, () => pan(-1, 0)),
    one("pan-up", "Pan", ["Shift+ArrowUp"], null, () => pan(0, 1)),
    one("pan-down", "Pan", ["Shift+ArrowDown"], null, () => pan(0, -1)),
  ];
}

function linkCommands({ viewer, ui, linker, lines, priors }) {
  const isPossible = () => viewer.panes.length > 1;
  const one = (id, label, keys, icon, run, isOn) => ({ id, label, group: "Compare", keys, icon, run, isOn, isPossible });
  return [
    one("link", "Link viewports", ["x"], "link", () => linker.toggle(), () => linker.isOn),
    one("links", "What is linked", [], null, () => ui.openLinks()),
    { id: "prior", label: "Prior, or the one before", group: "Compare", keys: ["["], run: () => priors.step(1), isPossible: () => priors.entries.length > 0 },
    { id: "later", label: "Later study", group: "Compare", keys: ["]"], run: () => priors.step(-1), isPossible: () => priors.entries.length > 0 },
    { id: "hang-like-this", label: "Hang it like this next time", group: "Page", icon: "pin", run: () => ui.hangLikeThis(), isPossible: () => ui.mayHang },
    one("lines", "Reference lines", ["Shift+x"], "scan-line", () => lines.toggle(), () => lines.isOn),
  ];
}

function frameCommands(viewer, viewport, ui) {
  const cine = () => viewer.active.cine;
  const one = (id, label, keys, run, more = {}) => ({ id, label, group: "Images", keys, run, ...more });
  return [
    one("next", "Next image", ["ArrowDown", "ArrowRight"], () => viewer.active.scrollBy(1)),
    one("previous", "Previous image", ["ArrowUp", "ArrowLeft"], () => viewer.active.scrollBy(-1)),
    one("first", "First image", ["Home"], () => viewport().jump(1)),
    one("last", "Last image", ["End"], () => viewport().jump(viewport().frames)),
    one("next-series", "Next series", ["PageDown"], () => viewer.showNeighbour(1)),
    one("previous-series", "Previous series", ["PageUp"], () => viewer.showNeighbour(-1)),
    one("cine", "Cine", ["c"], () => cine().toggle(), {
      icon: "play",
      isOn: () => cine()?.isPlaying ?? false,
      isPossible: () => (viewport()?.frames ?? 0) > 1,
    }),
    one("cine-rate", "Cine rate", [], () => ui.openRates(), { isPossible: () => (viewport()?.frames ?? 0) > 1 }),
  ];
}
