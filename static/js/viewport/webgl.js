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
