/** Cardiothoracic ratio: the greatest width of the heart, then that of the chest. */
import { DrawingTool } from "./drawing_tool.js";

export class CardiothoracicTool extends DrawingTool {
  static id = "cardiothoracic";
  static kind = "cardiothoracic";
  static stops = [2, 4];
}
