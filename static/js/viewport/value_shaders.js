/**
 * The steps of drawing values, as WebGL2 shaders.
 *
 * DECODE makes words of the bytes of a tile, once. RESAMPLE brings stored words to the pixels of the screen: it runs when the picture or its place changes. DISPLAY looks
 * them up in the display table: it alone runs when the window changes.
 */

/** One triangle that covers everything. */
export const COVER = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

/** From the two storeys of a value tile to its words. */
export const DECODE = `#version 300 es
precision highp float;
precision highp int;

uniform sampler2D storeys;      // high bytes above low bytes
uniform int rows;               // of the tile
out uint word;

uint byteAt(ivec2 place) {
  return uint(texelFetch(storeys, place, 0).r * 255.0 + 0.5);
}

void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  word = (byteAt(place) << 8) | byteAt(place + ivec2(0, rows));
}`;

/** How words are brought to the pixels of the screen. */
export const Sampling = Object.freeze({ NEAREST: "NEAREST", BETWEEN: "BETWEEN", COVERED: "COVERED" });

/**
 * One shader for each way of sampling, and for levels of one tile, instead of one that decides for each pixel: where no
 * graphics card helps, branches cost most.
 * @param {string} sampling one of Sampling
 * @param {boolean} isOneTile whether the level is a single tile
 */
export function resampleShader(sampling, isOneTile) {
  const words = ["#version 300 es", `#define ${sampling}`, ...(isOneTile ? ["#define ONE_TILE"] : []), RESAMPLE];
  return words.join("\n");
}

const RESAMPLE = `
precision highp float;
precision highp int;
precision highp usampler2DArray;
precision highp isampler2D;

uniform usampler2DArray tiles;  // words, one tile a layer
uniform isampler2D pages;       // layer of each tile of the level; -1: it is not here
uniform int onlyLayer;          // of a level of one tile
uniform vec3 toColumn;          // from device pixels to pixels of the level
uniform vec3 toRow;
uniform vec2 imageSize;         // columns and rows of the image, in pixels of the level
uniform ivec2 levelSize;
uniform int tileSize;
uniform vec2 padding;           // lowest and highest padded word
out uvec4 sampled;              // high byte, low byte, fraction in 1/256, whether there is anything

const int MOST = 128;           // pixels of the level under one of the screen, along each side

// Word, and 1 where it counts: padding and tiles that are not here do not.
vec2 wordAt(ivec2 place) {
#ifdef ONE_TILE
  float word = float(texelFetch(tiles, ivec3(place, onlyLayer), 0).r);
  float isHere = 1.0;
#else
  ivec2 tile = place / tileSize;
  int layer = texelFetch(pages, tile, 0).r;
  float word = float(texelFetch(tiles, ivec3(place - tile * tileSize, max(layer, 0)), 0).r);
  float isHere = layer < 0 ? 0.0 : 1.0;
#endif
  return vec2(word, word >= padding.x && word <= padding.y ? 0.0 : isHere);
}

// Sum of weighed words, and of weights, at a place or over what a pixel of the screen covers.
vec2 sumsAt(vec2 place, vec2 size) {
#if defined(NEAREST)
  return wordAt(min(ivec2(place), levelSize - 1));
#elif defined(BETWEEN)
  ivec2 first = ivec2(floor(place - 0.5));
  vec2 share = place - 0.5 - vec2(first);
  ivec2 from = max(first, ivec2(0));
  ivec2 to = min(first + 1, levelSize - 1);
  vec2 a = wordAt(from);
  vec2 b = wordAt(ivec2(to.x, from.y));
  vec2 c = wordAt(ivec2(from.x, to.y));
  vec2 d = wordAt(to);
  vec2 rest = 1.0 - share;
  vec4 weights = vec4(rest.x * rest.y, share.x * rest.y, rest.x * share.y, share.x * share.y) * vec4(a.y, b.y, c.y, d.y);
  return vec2(dot(weights, vec4(a.x, b.x, c.x, d.x)), dot(weights, vec4(1.0)));
#else
  vec2 from = place - size * 0.5;
  vec2 to = place + size * 0.5;
  ivec2 first = ivec2(floor(from));
  ivec2 count = min(ivec2(ceil(to)) - first, ivec2(MOST));
  vec2 sums = vec2(0.0);
  for (int row = 0; row < count.y; row += 1) {
    float top = float(first.y + row);
    float down = min(top + 1.0, to.y) - max(top, from.y);
    for (int column = 0; column < count.x; column += 1) {
      float left = float(first.x + column);
      float weight = down * (min(left + 1.0, to.x) - max(left, from.x));
      vec2 found = wordAt(clamp(first + ivec2(column, row), ivec2(0), levelSize - 1));
      sums += weight * found.y * vec2(found.x, 1.0);
    }
  }
  return sums / (size.x * size.y);
#endif
}

void main() {
  vec3 device = vec3(gl_FragCoord.xy, 1.0);
  vec2 place = vec2(dot(toColumn, device), dot(toRow, device));
  if (any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, imageSize))) discard;
#ifndef ONE_TILE
  if (texelFetch(pages, min(ivec2(place), levelSize - 1) / tileSize, 0).r < 0) discard;
#endif
  vec2 sums = sumsAt(place, max(abs(vec2(toColumn.x, toRow.x)) + abs(vec2(toColumn.y, toRow.y)), vec2(1.0)));
#ifdef COVERED
  const float least = 1e-4;     // what is no padding is kept, as in the levels of the pyramid
#else
  const float least = 0.5;      // padding keeps its outline
#endif
  uint fixedPoint = uint(floor(sums.x / max(sums.y, least) * 256.0 + 0.5));
  sampled = sums.y < least ? uvec4(0u) : uvec4((fixedPoint >> 16) & 255u, (fixedPoint >> 8) & 255u, fixedPoint & 255u, 255u);
}`;

export const DISPLAY = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;

uniform usampler2D words;
uniform sampler2D grey;         // 65,536 display values, 256 x 256
uniform bool isColored;         // red, green and blue stand in the table
uniform int canvasRows;
out vec4 color;

vec4 shownAt(uint word) {
  return texelFetch(grey, ivec2(int(word & 255u), int(word >> 8)), 0);
}

void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  uvec4 found = texelFetch(words, ivec2(place.x, canvasRows - 1 - place.y), 0);
  color = vec4(0.0, 0.0, 0.0, 1.0);
  if (found.a == 0u) return;
  uint word = found.r * 256u + found.g;
  uint next = min(word + 1u, 65535u);
  if (isColored) {
    color.rgb = shownAt(found.b < 128u ? word : next).rgb;
    return;
  }
  float level = shownAt(word).r;
  if (found.b > 0u) level = mix(level, shownAt(next).r, float(found.b) / 256.0);
  color.rgb = vec3(level);
}`;
