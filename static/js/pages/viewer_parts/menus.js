/**
 * The viewer's menus: windows, layouts, cine rates, and the tools at the pointer.
 */
import { preference, setPreference } from "../../core/preferences.js";
import { windowNumber } from "../../geometry/window_drag.js";
import { LINKS } from "../../linking/linker.js";
import { firstView, ownWindow, statedView } from "../../viewport/view_state.js";
import { keyForPeople } from "./key_bindings.js";
import { layoutInWords, LAYOUTS } from "./layouts.js";

const RATES = Object.freeze([1, 2, 5, 10, 15, 20, 25, 30, 60]);

function numbers(window) {
  return Number.isFinite(window?.width) ? `W ${windowNumber(window.width)} L ${windowNumber(window.center)}` : "";
}

/**
 * Windows of the file and of the site, color maps, and how pictures are made.
 * @param {import("../../viewport/viewport.js").Viewport} viewport
 * @param {{presets: import("../../viewport/window_choice.js").WindowChoice[], maps: string[],
 *   drawing: import("../../viewport/value_drawing.js").ValueDrawing}} parts
 * @returns items for openMenu
 */
export function windowItems(viewport, { presets, maps, drawing }) {
  const { manifest, view } = viewport;
  const choose = (window) => () => viewport.setWindow(window);
  const own = ownWindow(view, manifest);
  if (manifest.color) return [{ heading: "Color images have no window." }];
  const known = (manifest.windows ?? []).filter((one) => !isPreset(one, presets));
  return [
    { heading: view.presentationState ? "Of the presentation state and the series" : "Of this series" },
    { label: own.name || "First window", detail: numbers(own), isChecked: view.window.key === null, run: choose(own) },
    ...known.map((one) => ({ label: one.name, detail: numbers(one), isChecked: view.window.key === one.key, run: choose({ ...one }) })),
    ...(presets.some((preset) => !manifest.windows?.includes(preset)) ? [{ heading: "Presets" }] : []),
    ...presets.map((preset, index) => {
      const key = index < 9 ? String(index + 1) : "";
      return { label: preset.name, detail: numbers(preset), key, isChecked: view.window.key === preset.key, run: choose(preset) };
    }),
    { heading: "Colors" },
    ...maps.map((map) => ({ label: mapName(map), isChecked: view.map === map, run: () => viewport.setView({ map }) })),
    { heading: "Drawing" },
    {
      label: "Draw on the server",
      isChecked: drawing.isOnServer,
      isRadio: false,
      run: () => drawing.setOnServer(!drawing.isOnServer),
    },
    { heading: "Hand" },
    {
      label: "Drag the other way round",
      isChecked: preference("windowDragInverted", false),
      isRadio: false,
      run: () => setPreference("windowDragInverted", !preference("windowDragInverted", false)),
    },
  ];
}

/** "hot-iron" for people. */
function mapName(map) {
  const words = map.replaceAll("-", " ");
  return `${words[0].toUpperCase()}${words.slice(1)}`.replace(/^Pet\b/, "PET");
}

/** A window of the manifest that only repeats one of the site's presets. */
function isPreset(window, presets) {
  return presets.some((preset) => preset.key === window.key && preset.name?.toLowerCase() === window.name?.toLowerCase());
}

/**
 * The presentation states of a stack, the stack without one, and saving the present view as a new one.
 * @param {((viewport: object) => void)|null} save null where the reader may not
 * @returns items for openMenu
 */
export function stateItems(viewport, save) {
  const { manifest, view } = viewport;
  const states = manifest.presentation_states ?? [];
  return [
    { heading: "Presentation states" },
    { label: "None", detail: "as the images say", isChecked: !view.presentationState, run: () => viewport.setView(firstView(manifest)) },
    ...states.map((state) => ({
      label: state.ContentDescription || state.ContentLabel || "Presentation state",
      detail: [state.ContentDescription && state.ContentLabel, dateOf(state.created), ...state.notes].filter(Boolean).join(" · "),
      isChecked: view.presentationState === state.SOPInstanceUID,
      run: () => showState(viewport, state),
    })),
    ...(save && !view.presentationState ? [{ heading: "Present view" }, { label: "Save this view", detail: "with its measurements", isChecked: false, isRadio: false, run: () => save(viewport) }] : []),
  ];
}

/** "20261124101500" as 2026-11-24. */
function dateOf(created) {
  return created.replace(/^(\d{4})(\d{2})(\d{2}).*$/, "$1-$2-$3");
}

/** Shows a state, on the first image that it is about where it is not about the present one. */
function showState(viewport, state) {
  const first = state.frames.findIndex((place) => place !== null) + 1;
  const isAbout = state.frames[viewport.askedFrame - 1] !== null;
  const frame = isAbout ? viewport.askedFrame : first;
  if (!isAbout) viewport.jump(first);
  viewport.setView(statedView(viewport.manifest, state, frame, viewport.size));
}

export function layoutItems(viewer) {
  return LAYOUTS.map((layout) => ({
    label: layoutInWords(layout),
    detail: layout.name.replace("x", " × "),
    isChecked: viewer.layout.name === layout.name,
    run: () => {
      viewer.setLayout(layout.name);
      viewer.focus();
    },
  }));
}

/** What is linked. @param {import("../../linking/linker.js").Linker} linker @returns items for openMenu */
export function linkItems(linker) {
  return [
    { heading: "Linked" },
    ...Object.entries(LINKS).map(([name, label]) => ({
      label,
      isChecked: linker.has(name),
      isRadio: false,
      run: () => linker.setLinks({ [name]: !linker.has(name) }),
    })),
    { heading: "Without a common frame of reference" },
    { label: "What is shown now is the same place", isChecked: false, isRadio: false, run: () => linker.matchByHand() },
  ];
}

/** Speed, direction and part of a cine. @param {import("../../viewport/cine_player.js").CinePlayer} cine @param {number} frame that is shown */
export function cineItems(cine, frame) {
  const { value, isFromFile } = cine.rate;
  const rates = [...new Set([...RATES, value])].sort((one, other) => one - other);
  const [first, last] = cine.range;
  const one = (label, isChecked, run, detail = "") => ({ label, detail, isChecked, isRadio: false, run });
  return [
    { heading: "Speed" },
    ...rates.map((rate) => ({
      label: rate === 1 ? "1 image a second" : `${Number(rate.toFixed(1))} images a second`,
      detail: rate === value && isFromFile ? "as in file" : "",
      isChecked: rate === value,
      run: () => {
        cine.setRate(rate);
        cine.start();
      },
    })),
    { heading: "Which way" },
    one("Back and forth", cine.isBouncing, () => cine.setBouncing(!cine.isBouncing)),
    { heading: "Which images" },
    one("All", cine.isWhole, () => cine.setRange(null), cine.isWhole ? "" : `now ${first} to ${last}`),
    one("From this image on", !cine.isWhole && first === frame, () => cine.setRange({ first: frame })),
    one("Up to this image", !cine.isWhole && last === frame, () => cine.setRange({ last: frame })),
  ];
}

/** The tools of the last hour first, then what can be done with the picture. */
export function contextItems(commands, tools) {
  const command = (id) => commands.find((one) => one.id === id);
  const item = (one) => ({
    label: one.label,
    key: (one.keys ?? []).slice(0, 1).map(keyForPeople).join(""),
    icon: one.icon,
    isChecked: one.isOn ? one.isOn() : undefined,
    isRadio: one.id.startsWith("tool-"),
    isDisabled: one.isPossible ? !one.isPossible() : false,
    run: one.run,
  });
  const actions = ["windows", "invert", "fit", "one-to-one", "rotate", "flip-horizontal", "flip-vertical", "reset", "squares", "maximise", "tags", "download"];
  return [
    { heading: "Tools" },
    ...tools.recent().map((id) => command(`tool-${id}`)).filter(Boolean).map(item),
    { heading: "Picture" },
    ...actions.map(command).filter(Boolean).map(item),
  ];
}

/** Every measuring tool with its key. @param {import("./commands.js").Command[]} commands @returns items for openMenu */
export function measureToolItems(commands) {
  const ids = ["length", "bidirectional", "angle", "cobb", "ellipse", "rectangle", "circle", "polygon", "freehand", "polyline", "line_distance", "cardiothoracic", "arrow", "text", "spine", "calibration", "magnifier"];
  const tools = ids.map((id) => commands.find((command) => command.id === `tool-${id}`));
  const all = ["hide-marks", "snap"].map((id) => commands.find((command) => command.id === id));
  const item = (command, isRadio) => ({
    label: command.label,
    key: command.keys[0] ? keyForPeople(command.keys[0]) : "",
    icon: command.icon,
    isChecked: command.isOn(),
    isRadio,
    run: command.run,
  });
  return [{ heading: "Measure" }, ...tools.map((command) => item(command, true)), { heading: "All" }, ...all.map((command) => item(command, false))];
}
