/**
 * The two steps of drawing values, as WebGL2 shaders.
 *
 * RESAMPLE brings stored words to the pixels of the screen: it runs when the picture or its place changes. DISPLAY looks
 * them up in the display table: it alone runs when the window changes.
 */

/** One triangle that covers everything. */
export const COVER = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

export const RESAMPLE = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2DArray;
precision highp isampler2D;

uniform sampler2DArray tiles;   // high bytes above low bytes, one tile a layer
uniform isampler2D pages;       // layer of each tile of the level; -1: it is not here
uniform vec3 toColumn;          // from device pixels to pixels of the level
uniform vec3 toRow;
uniform vec2 imageSize;         // columns and rows of the image, in pixels of the level
uniform ivec2 levelSize;
uniform int tileSize;
uniform vec2 padding;           // lowest and highest padded word
uniform bool isNearest;
out uvec4 sampled;              // high byte, low byte, fraction in 1/256, whether there is anything

const int MOST = 128;           // pixels of the level under one of the screen, along each side

// Word, and 1 where it counts: padding and tiles that are not here do not.
vec2 wordAt(ivec2 place) {
  ivec2 at = clamp(place, ivec2(0), levelSize - 1);
  ivec2 tile = at / tileSize;
  int layer = texelFetch(pages, tile, 0).r;
  if (layer < 0) return vec2(0.0);
  ivec2 inside = at - tile * tileSize;
  int rows = min(tileSize, levelSize.y - tile.y * tileSize);
  float high = texelFetch(tiles, ivec3(inside, layer), 0).r;
  float low = texelFetch(tiles, ivec3(inside.x, inside.y + rows, layer), 0).r;
  float word = floor(high * 255.0 + 0.5) * 256.0 + floor(low * 255.0 + 0.5);
  bool isPadded = word >= padding.x && word <= padding.y;
  return vec2(word, isPadded ? 0.0 : 1.0);
}

// Sum of words and of weights over what a pixel of the screen covers. Over an enlarged image that is one pixel of the
// level at any place, which is bilinear interpolation.
vec2 covered(vec2 place) {
  vec2 size = max(abs(vec2(toColumn.x, toRow.x)) + abs(vec2(toColumn.y, toRow.y)), vec2(1.0));
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
      vec2 found = wordAt(first + ivec2(column, row));
      sums += weight * found.y * vec2(found.x, 1.0);
    }
  }
  return sums / (size.x * size.y);
}

void main() {
  vec3 device = vec3(gl_FragCoord.xy, 1.0);
  vec2 place = vec2(dot(toColumn, device), dot(toRow, device));
  if (any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, imageSize))) discard;
  ivec2 own = clamp(ivec2(floor(place)), ivec2(0), levelSize - 1);
  if (texelFetch(pages, own / tileSize, 0).r < 0) discard;
  vec2 sums = isNearest ? wordAt(own) : covered(place);
  bool isShrunk = abs(toColumn.x) + abs(toColumn.y) > 1.0 || abs(toRow.x) + abs(toRow.y) > 1.0;
  // Enlarged, padding keeps its outline; made smaller, what is no padding is kept, as in the levels of the pyramid.
  if (sums.y < (isShrunk && !isNearest ? 1e-4 : 0.5)) {
    sampled = uvec4(0u);
    return;
  }
  uint fixedPoint = uint(floor(sums.x / sums.y * 256.0 + 0.5));
  sampled = uvec4((fixedPoint >> 16) & 255u, (fixedPoint >> 8) & 255u, fixedPoint & 255u, 255u);
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
