/**
 * The region of the remark that is shown, and of the one that is being written: lines on one frame each.
 */
const HEAD = 0.25;
const HEAD_ANGLE = Math.PI / 7;

/**
 * The lines of a region in image coordinates.
 * @param {{kind: string, points: [number, number][]}} region
 * @returns {{points: [number, number][], is_line: boolean}[]}
 */
export function linesOf({ kind, points: [[x0, y0], [x1, y1]] }) {
  if (kind === "rectangle") {
    return [{ is_line: true, points: [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]] }];
  }
  const back = Math.atan2(y0 - y1, x0 - x1);
  const far = Math.hypot(x1 - x0, y1 - y0) * HEAD;
  const side = (turn) => [x1 + Math.cos(back + turn) * far, y1 + Math.sin(back + turn) * far];
  return [
    { is_line: true, points: [[x0, y0], [x1, y1]] },
    { is_line: true, points: [side(HEAD_ANGLE), [x1, y1], side(-HEAD_ANGLE)] },
  ];
}

/** What a layer of marks from elsewhere draws. Events: "change". */
export class RemarkRegions extends EventTarget {
  #shown = null;
  #draft = null;

  /** @param {{id: number, author: string, image: string, frame: number, region: object|null}|null} remark */
  show(remark) {
    this.#shown = remark?.region ? markOf(remark) : null;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {{image: string, frame: number, region: object}|null} place of a remark that is not said yet */
  setDraft(place) {
    this.#draft = place ? markOf({ id: 0, author: "new remark", ...place }) : null;
    this.dispatchEvent(new Event("change"));
  }

  /** Regions on a frame. */
  of(frame) {
    const all = [this.#shown, this.#draft].filter(Boolean);
    return frame ? all.filter((mark) => mark.SOPInstanceUID === frame.SOPInstanceUID && mark.FrameNumber === frame.FrameNumber) : [];
  }

  /** No remark makes a key image. */
  keyOf() {
    return undefined;
  }
}

function markOf({ id, author, image, frame, region }) {
  return { id: `remark-${id}`, name: author, values: [], SOPInstanceUID: image, FrameNumber: frame ?? 1, graphics: linesOf(region) };
}
