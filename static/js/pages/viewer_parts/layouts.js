/**
 * Layouts as data: rows and columns of viewports.
 */
export const LAYOUTS = Object.freeze(
  ["1x1", "1x2", "1x3", "2x1", "2x2", "2x3", "3x1", "3x2", "3x3"].map((name) => {
    const [rows, columns] = name.split("x").map(Number);
    return Object.freeze({ name, rows, columns, count: rows * columns });
  }),
);

/** @param {string} name such as "2x2", rows first; anything unknown is one viewport */
export function layoutNamed(name) {
  return LAYOUTS.find((layout) => layout.name === name) ?? LAYOUTS[0];
}
