/**
 * The view on the screen as a picture file: the image, what is drawn on it and its text, as they stand there.
 */
const STYLES = Object.freeze(["fill", "stroke", "stroke-width", "stroke-linejoin", "stroke-dasharray", "paint-order", "font-size", "font-family", "font-weight", "text-anchor"]);

/** A drawing with its styles written into it, so that it looks the same outside of the page. */
function standalone(drawing, { width, height }) {
  const copy = drawing.cloneNode(true);
  const [originals, copies] = [drawing, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  originals.forEach((node, at) => {
    const style = getComputedStyle(node);
    for (const name of STYLES) copies[at].setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return copy;
}

async function pictureOf(drawing, size) {
  const text = new XMLSerializer().serializeToString(standalone(drawing, size));
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Elements of the text over an image that hold words themselves; without names those that say who it is are left out. */
function wordsOf(surface, withNames) {
  const leaves = [...surface.querySelectorAll(".viewport-text *")].filter((node) => !node.children.length && node.textContent.trim());
  return leaves.filter((node) => node.checkVisibility() && (withNames || !node.closest(".corner-identity, .line-study")));
}

function write(context, node, origin) {
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  const isRight = style.textAlign === "right" || style.textAlign === "end";
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.textBaseline = "middle";
  context.textAlign = isRight ? "right" : "left";
  const [x, y] = [(isRight ? box.right : box.left) - origin.left, (box.top + box.bottom) / 2 - origin.top];
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.fillStyle = style.color;
  context.strokeText(node.textContent, x, y);
  context.fillText(node.textContent, x, y);
}

/** The line of the scale bar, with its ends. */
function writeBar(context, bar, origin) {
  if (!bar?.checkVisibility()) return;
  const box = bar.getBoundingClientRect();
  const [left, right, bottom] = [box.left - origin.left, box.right - origin.left, box.bottom - origin.top];
  for (const [color, width] of [["#000", 3], [getComputedStyle(bar).color, 1]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(left, bottom - 6);
    context.lineTo(left, bottom);
    context.lineTo(right, bottom);
    context.lineTo(right, bottom - 6);
    context.stroke();
  }
}

/**
 * @param {import("./pane.js").Pane} pane
 * @param {{withNames: boolean, type: string}} options type: image/png or image/jpeg
 * @returns {Promise<Blob>}
 */
export async function viewPicture({ surface, viewport }, { withNames, type }) {
  const { width, height, ratio } = viewport.size;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  context.drawImage(surface.querySelector(".viewport-canvas"), 0, 0);
  const origin = surface.querySelector(".viewport-canvas").getBoundingClientRect();
  context.scale(ratio, ratio);
  const size = { width: width / ratio, height: height / ratio };
  for (const drawing of surface.querySelectorAll("svg.viewport-marks, svg.viewport-lines")) {
    if (drawing.firstChild) context.drawImage(await pictureOf(drawing, size), 0, 0, size.width, size.height);
  }
  writeBar(context, surface.querySelector(".scale-bar"), origin);
  for (const node of wordsOf(surface, withNames)) write(context, node, origin);
  return canvas.convertToBlob({ type, quality: 0.92 });
}

/** Gives a file to the person. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
