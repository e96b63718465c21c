/** Words on the image: a click says where. */
import { Tool } from "./tool.js";

export class TextTool extends Tool {
  static id = "text";

  pointerUp(pane, gesture) {
    const { frameFacts, manifest, problem } = pane.viewport;
    if (!frameFacts || problem || !pane.viewport.isOnImage(gesture.image)) return;
    const { SOPInstanceUID, FrameNumber } = frameFacts;
    const mark = { kind: "text", stack: manifest.stack, SOPInstanceUID, FrameNumber, points: [gesture.image], label: null };
    pane.askText(gesture.css, "", (text) => text && pane.addMark({ ...mark, text }));
  }
}
