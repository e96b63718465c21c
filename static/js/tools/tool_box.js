/**
 * The tools of a viewer, which one the left button uses, and which were used in the last hour.
 */
import { AngleTool } from "./angle_tool.js";
import { ArrowTool } from "./arrow_tool.js";
import { BidirectionalTool } from "./bidirectional_tool.js";
import { CalibrationTool } from "./calibration_tool.js";
import { CardiothoracicTool } from "./cardiothoracic_tool.js";
import { CircleTool } from "./circle_tool.js";
import { CobbTool } from "./cobb_tool.js";
import { EllipseTool } from "./ellipse_tool.js";
import { FreehandTool } from "./freehand_tool.js";
import { LengthTool } from "./length_tool.js";
import { LineDistanceTool } from "./line_distance_tool.js";
import { MagnifierTool } from "./magnifier_tool.js";
import { PanTool } from "./pan_tool.js";
import { PolygonTool } from "./polygon_tool.js";
import { PolylineTool } from "./polyline_tool.js";
import { ProbeTool } from "./probe_tool.js";
import { RectangleTool } from "./rectangle_tool.js";
import { RegionArrowTool, RegionRectangleTool } from "./region_tools.js";
import { ScrollTool } from "./scroll_tool.js";
import { SpineTool } from "./spine_tool.js";
import { TextTool } from "./text_tool.js";
import { WindowTool } from "./window_tool.js";
import { ZoomTool } from "./zoom_tool.js";

const TOOLS = Object.freeze([
  WindowTool,
  PanTool,
  ZoomTool,
  ScrollTool,
  ProbeTool,
  MagnifierTool,
  LengthTool,
  PolylineTool,
  LineDistanceTool,
  BidirectionalTool,
  AngleTool,
  CobbTool,
  CardiothoracicTool,
  EllipseTool,
  RectangleTool,
  CircleTool,
  PolygonTool,
  FreehandTool,
  ArrowTool,
  TextTool,
  SpineTool,
  CalibrationTool,
  RegionRectangleTool,
  RegionArrowTool,
]);
const HOUR_MS = 3_600_000;

/** Events: "change". */
export class ToolBox extends EventTarget {
  #tools = new Map(TOOLS.map((Kind) => [Kind.id, new Kind()]));
  #active;
  #usedAt = new Map();
  #panes = () => [];

  /** @param {string} first id of the tool that is active at first @param {() => object[]} panes */
  constructor(first, panes) {
    super();
    this.#active = this.#tools.has(first) ? first : "scroll";
    this.#panes = panes;
  }

  get activeId() {
    return this.#active;
  }

  get active() {
    return this.#tools.get(this.#active);
  }

  /** @param {string} id */
  tool(id) {
    return this.#tools.get(id);
  }

  choose(id) {
    if (!this.#tools.has(id)) return;
    this.noteUse(id);
    if (id === this.#active) return;
    for (const pane of this.#panes()) this.active.deactivate(pane);
    this.#active = id;
    for (const pane of this.#panes()) this.active.activate(pane);
    this.dispatchEvent(new Event("change"));
  }

  noteUse(id) {
    this.#usedAt.set(id, Date.now());
  }

  /** Ids of the tools of the last hour, the latest first, then the others. */
  recent() {
    const since = Date.now() - HOUR_MS;
    const at = (id) => (this.#usedAt.get(id) > since ? this.#usedAt.get(id) : 0);
    return [...this.#tools.keys()].sort((one, other) => at(other) - at(one));
  }
}
