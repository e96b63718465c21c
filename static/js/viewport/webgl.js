/**
 * The few things that every use of WebGL2 here needs.
 */
import { COVER } from "./value_shaders.js";

/** A texture that is read pixel by pixel, bound to the present unit. */
export function makeTexture(gl) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  return made;
}

/** Binds a texture to a unit, and the sampler of a program to the unit. */
export function bind(gl, unit, target, bound, place) {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(target, bound);
  gl.uniform1i(place, unit);
}

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;
const CHECKED_SIDE = 64;

/**
 * Whether the processor draws, and what it has drawn can be read back: integers as bytes, and untouched. (Browsers that
 * guard against recognition change pixels that are read.)
 */
export function isSoftware(gl) {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  return names !== null && SOFTWARE.test(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)) && readsTruly(gl);
}

function readsTruly(gl) {
  const texture = makeTexture(gl);
  const frame = gl.createFramebuffer();
  const wanted = Uint8Array.from({ length: 4 * CHECKED_SIDE ** 2 }, (_, index) => (index * 167 + (index >> 7)) & 255);
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8UI, CHECKED_SIDE, CHECKED_SIDE, 0, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, wanted);
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const read = new Uint8Array(wanted.length);
  if (gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_TYPE) === gl.UNSIGNED_BYTE) {
    gl.readPixels(0, 0, CHECKED_SIDE, CHECKED_SIDE, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, read);
  }
  gl.deleteFramebuffer(frame);
  gl.deleteTexture(texture);
  return read.every((byte, index) => byte === wanted[index]);
}

/** A program that covers everything, with the places of its uniforms by name. */
export function makeProgram(gl, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, COVER], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "lost");
  const at = {};
  for (let index = 0; index < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); index += 1) {
    const { name } = gl.getActiveUniform(made, index);
    at[name] = gl.getUniformLocation(made, name);
  }
  return { program: made, at };
}
