/**
 * Value tiles on the graphics card: one array texture of words, a tile a layer, the least recently used given up first.
 */
import { bind, makeProgram, makeTexture } from "./webgl.js";
import { DECODE } from "./value_shaders.js";


/** Layers at first, and at most; each takes half a megabyte. */
const FIRST_LAYERS = 64;
const MOST_LAYERS = 256;

export const POOL_TILE_SIZE = 512;

export class TilePool {
  #gl;
  #decode;
  #storeys;
  #frame;
  #texture = null;
  #size = 0;
  #most;
  #free = [];
  /** Layer of each tile by its key, the least recently used first. */
  #layers = new Map();

  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.#gl = gl;
    this.#decode = makeProgram(gl, DECODE);
    this.#storeys = makeTexture(gl);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R8, POOL_TILE_SIZE, 2 * POOL_TILE_SIZE);
    this.#frame = gl.createFramebuffer();
    this.#most = Math.min(MOST_LAYERS, gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS));
    this.#make(Math.min(FIRST_LAYERS, this.#most));
  }

  get texture() {
    return this.#texture;
  }

  /** Tiles that one picture may have. */
  get most() {
    return this.#most;
  }

  #make(layers) {
    const gl = this.#gl;
    if (this.#texture) gl.deleteTexture(this.#texture);
    this.#texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.#texture);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.R16UI, POOL_TILE_SIZE, POOL_TILE_SIZE, layers);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    this.#size = layers;
    this.#layers.clear();
    this.#free = Array.from({ length: layers }, (_, index) => index);
  }

  /**
   * Brings the tiles of a picture onto the card, all at once or not at all.
   * @param {{key: string, bitmap: ImageBitmap}[]} tiles
   * @returns {number[]|null} their layers
   */
  hold(tiles) {
    if (tiles.length > this.#most) return null;
    while (tiles.length > this.#size) this.#make(Math.min(this.#size * 2, this.#most));
    const held = new Set(tiles.map(({ key }) => key));
    return tiles.map((tile) => this.#layerOf(tile, held));
  }

  #layerOf({ key, bitmap }, held) {
    const known = this.#layers.get(key);
    if (known !== undefined) {
      this.#layers.delete(key);
      this.#layers.set(key, known);
      return known;
    }
    const layer = this.#free.pop() ?? this.#giveUp(held);
    this.#layers.set(key, layer);
    this.#upload(bitmap, layer);
    return layer;
  }

  #giveUp(held) {
    const oldest = [...this.#layers.keys()].find((key) => !held.has(key));
    const layer = this.#layers.get(oldest);
    this.#layers.delete(oldest);
    return layer;
  }

  /** As it was decoded: nothing may touch a byte. */
  #upload(bitmap, layer) {
    const gl = this.#gl;
    const rows = bitmap.height / 2;
    gl.useProgram(this.#decode.program);
    bind(gl, 0, gl.TEXTURE_2D, this.#storeys, this.#decode.at.storeys);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, bitmap.width, bitmap.height, gl.RED, gl.UNSIGNED_BYTE, bitmap);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#frame);
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, this.#texture, 0, layer);
    gl.viewport(0, 0, bitmap.width, rows);
    gl.uniform1i(this.#decode.at.rows, rows);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
