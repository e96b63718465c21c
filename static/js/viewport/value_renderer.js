/**
 * One WebGL2 context for all viewports of a page: browsers give a page sixteen at most, and tiles are shared.
 *
 * It draws into a canvas that is never shown; viewports copy from it. Each viewport has a `Screen` here: its words at the
 * pixels of the screen, and its display table.
 *
 * Events: "change" when pictures can be drawn again, or no longer.
 */
import { TilePool } from "./tile_pool.js";
import { DISPLAY, resampleShader } from "./value_shaders.js";
import { lookUp } from "./value_lookup.js";
import { bind, isSoftware, makeProgram, makeTexture } from "./webgl.js";

const CONTEXT = Object.freeze({ alpha: false, antialias: false, depth: false, stencil: false, preserveDrawingBuffer: false });
const TABLE_SIDE = 256;

export class ValueRenderer extends EventTarget {
  #canvas;
  #gl;
  #parts = null;
  /** Counts the contexts: what was made in an earlier one is lost. */
  #generation = 0;

  /** @returns {ValueRenderer|null} null where the browser has no WebGL2 */
  static create() {
    // Not an OffscreenCanvas: Chromium gives that one a context even where WebGL has been switched off.
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 1, height: 1 });
    const gl = canvas.getContext("webgl2", CONTEXT);
    return gl && !gl.isContextLost() ? new ValueRenderer(canvas, gl) : null;
  }

  constructor(canvas, gl) {
    super();
    this.#canvas = canvas;
    this.#gl = gl;
    this.#make();
    canvas.addEventListener("webglcontextlost", (event) => {
      // Without this a browser does not give it back.
      event.preventDefault();
      this.#parts = null;
      this.dispatchEvent(new Event("change"));
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.#make();
      this.dispatchEvent(new Event("change"));
    });
  }

  #make() {
    const gl = this.#gl;
    this.#generation += 1;
    try {
      this.#parts = { resample: new Map(), display: makeProgram(gl, DISPLAY), pool: new TilePool(gl), isSoftware: isSoftware(gl) };
    } catch {
      this.#parts = null;
    }
  }

  get isUsable() {
    return this.#parts !== null && !this.#gl.isContextLost();
  }

  /** Tiles that one picture may have. */
  get mostTiles() {
    return this.#parts?.pool.most ?? 0;
  }

  /** The side of the largest screen that can be drawn. */
  get mostPixels() {
    return this.#gl.getParameter(this.#gl.MAX_TEXTURE_SIZE) ?? 0;
  }

  /** @returns {Screen} for one viewport */
  screen() {
    return { generation: 0, width: 0, height: 0, words: null, frame: null, pages: null, table: null, tableOf: null, read: null };
  }

  /** @param {ReturnType<ValueRenderer["screen"]>} screen that is not needed any more */
  drop(screen) {
    if (screen.generation !== this.#generation) return;
    const gl = this.#gl;
    for (const texture of [screen.words, screen.pages, screen.table]) gl.deleteTexture(texture);
    gl.deleteFramebuffer(screen.frame);
    Object.assign(screen, this.screen());
  }

  /** Whether what was resampled for a screen of this size is still there. */
  isKept(screen, { width, height }) {
    return screen.generation === this.#generation && screen.width === width && screen.height === height;
  }

  #prepare(screen, { width, height }) {
    if (this.isKept(screen, { width, height })) return;
    this.drop(screen);
    const gl = this.#gl;
    Object.assign(screen, { generation: this.#generation, width, height, tableOf: null, read: null });
    screen.words = makeTexture(gl);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8UI, width, height);
    screen.frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, screen.frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, screen.words, 0);
    screen.pages = makeTexture(gl);
    screen.table = makeTexture(gl);
  }

  /**
   * Brings the words of a picture to the pixels of a screen, coarse layers first.
   * @param {object} screen
   * @param {{width: number, height: number}} size
   * @param {{level: object, tiles: {row: number, column: number, key: string, bitmap: ImageBitmap}[],
   *   inverse: import("../geometry/affine.js").Affine, sampling: string}[]} layers inverse: from device pixels to pixels
   *   of the level
   * @param {{manifest: object, padding: [number, number]}} facts padding in words
   * @returns {boolean} false: there is no room
   */
  resample(screen, size, layers, { manifest, padding }) {
    const places = this.#parts.pool.hold(layers.flatMap(({ tiles }) => tiles));
    if (!places) return false;
    this.#prepare(screen, size);
    const gl = this.#gl;
    gl.bindFramebuffer(gl.FRAMEBUFFER, screen.frame);
    gl.viewport(0, 0, size.width, size.height);
    gl.clearBufferuiv(gl.COLOR, 0, [0, 0, 0, 0]);
    for (const layer of layers) {
      const at = this.#useFor(layer);
      bind(gl, 0, gl.TEXTURE_2D_ARRAY, this.#parts.pool.texture, at.tiles);
      gl.uniform2f(at.padding, ...padding);
      this.#writePages(screen, layer, places.splice(0, layer.tiles.length), { at, manifest });
      this.#placeLayer(layer, manifest, at);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
    if (this.#parts.isSoftware) this.#readBack(screen);
    return true;
  }

  /** Words in the processor's memory, where it looks them up itself. */
  #readBack(screen) {
    const { width, height } = screen;
    const image = screen.read?.image ?? new ImageData(width, height);
    const words = screen.read?.words ?? new Uint32Array(width * height);
    const gl = this.#gl;
    gl.readPixels(0, 0, width, height, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, new Uint8Array(words.buffer));
    screen.read = { words, image, pixels: new Uint32Array(image.data.buffer) };
  }

  /** The places of the uniforms of the program that a layer needs. */
  #useFor({ level, sampling }) {
    const gl = this.#gl;
    const source = resampleShader(sampling, isOneTile(level));
    const programs = this.#parts.resample;
    if (!programs.has(source)) programs.set(source, makeProgram(gl, source));
    gl.useProgram(programs.get(source).program);
    return programs.get(source).at;
  }

  #writePages(screen, { level, tiles }, places, { at, manifest }) {
    const gl = this.#gl;
    if (isOneTile(level)) {
      gl.uniform1i(at.onlyLayer, places[0]);
      return;
    }
    gl.uniform1i(at.tileSize, manifest.TileSize);
    bind(gl, 1, gl.TEXTURE_2D, screen.pages, at.pages);
    const pages = new Int16Array(level.rows * level.columns).fill(-1);
    tiles.forEach(({ row, column }, index) => (pages[row * level.columns + column] = places[index]));
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16I, level.columns, level.rows, 0, gl.RED_INTEGER, gl.SHORT, pages);
  }

  #placeLayer({ level, inverse }, manifest, at) {
    const gl = this.#gl;
    gl.uniform3f(at.toColumn, inverse.a, inverse.c, inverse.e);
    gl.uniform3f(at.toRow, inverse.b, inverse.d, inverse.f);
    gl.uniform2f(at.imageSize, manifest.Columns / level.scale, manifest.Rows / level.scale);
    gl.uniform2i(at.levelSize, level.Columns, level.Rows);
  }

  /**
   * Looks the words of a screen up in a display table and copies the picture.
   * @param {object} screen
   * @param {Uint8Array} table of display_table.js
   * @param {CanvasRenderingContext2D} context of the viewport's canvas
   */
  display(screen, table, context) {
    if (screen.read) {
      lookUp(screen.read.words, table, screen.read.pixels);
      context.putImageData(screen.read.image, 0, 0);
      return;
    }
    const gl = this.#gl;
    const { width, height } = screen;
    this.#makeRoom(width, height);
    const { program: used, at } = this.#parts.display;
    const isColored = table.length > TABLE_SIDE * TABLE_SIDE;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, this.#canvas.height - height, width, height);
    gl.useProgram(used);
    bind(gl, 0, gl.TEXTURE_2D, screen.words, at.words);
    bind(gl, 1, gl.TEXTURE_2D, screen.table, at.grey);
    if (screen.tableOf !== table) {
      const [inside, format] = isColored ? [gl.RGBA8, gl.RGBA] : [gl.R8, gl.RED];
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      gl.texImage2D(gl.TEXTURE_2D, 0, inside, TABLE_SIDE, TABLE_SIDE, 0, format, gl.UNSIGNED_BYTE, table);
      screen.tableOf = table;
    }
    gl.uniform1i(at.isColored, isColored ? 1 : 0);
    gl.uniform1i(at.canvasRows, this.#canvas.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#canvas, 0, 0, width, height, 0, 0, width, height);
  }

  /** The canvas is as large as the largest viewport so far: it is seldom made anew. */
  #makeRoom(width, height) {
    if (width > this.#canvas.width) this.#canvas.width = width;
    if (height > this.#canvas.height) this.#canvas.height = height;
  }
}

function isOneTile({ rows, columns }) {
  return rows * columns === 1;
}
