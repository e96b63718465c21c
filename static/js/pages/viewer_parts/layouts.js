/**
 * Layouts as data: rows and columns of viewports, up to four by four, and one large viewport with smaller ones beside it.
 */
const MOST = 4;

const GRIDS = Array.from({ length: MOST * MOST }, (_, index) => {
  const [rows, columns] = [Math.floor(index / MOST) + 1, (index % MOST) + 1];
  return Object.freeze({ name: `${rows}x${columns}`, rows, columns, count: rows * columns, hasLarge: false });
});

/** The large one takes two of three columns and all rows. */
const ONE_LARGE = [2, 3].map((beside) => Object.freeze({ name: `1+${beside}`, rows: beside, columns: 3, count: 1 + beside, hasLarge: true }));

export const LAYOUTS = Object.freeze([...GRIDS, ...ONE_LARGE]);

/** A layout in words. */
export function layoutInWords({ rows, columns, count, hasLarge }) {
  if (count === 1) return "One viewport";
  if (hasLarge) return `One large, ${rows} beside it`;
  return `${rows} ${rows === 1 ? "row" : "rows"}, ${columns} ${columns === 1 ? "column" : "columns"}`;
}

/** @param {string} name such as "2x2", rows first, or "1+2"; anything unknown is one viewport */
export function layoutNamed(name) {
  return LAYOUTS.find((layout) => layout.name === name) ?? LAYOUTS[0];
}
