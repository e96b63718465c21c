/**
 * Layouts as data: rows and columns of viewports, up to four by four.
 */
const MOST = 4;

export const LAYOUTS = Object.freeze(
  Array.from({ length: MOST * MOST }, (_, index) => {
    const [rows, columns] = [Math.floor(index / MOST) + 1, (index % MOST) + 1];
    return Object.freeze({ name: `${rows}x${columns}`, rows, columns, count: rows * columns });
  }),
);

/** @param {string} name such as "2x2", rows first; anything unknown is one viewport */
export function layoutNamed(name) {
  return LAYOUTS.find((layout) => layout.name === name) ?? LAYOUTS[0];
}
