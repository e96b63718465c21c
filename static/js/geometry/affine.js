/**
 * Affine maps of the plane: x' = a x + c y + e, y' = b x + d y + f (the order of DOMMatrix and canvas).
 */
export class Affine {
  constructor(a = 1, b = 0, c = 0, d = 1, e = 0, f = 0) {
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
    this.e = e;
    this.f = f;
    Object.freeze(this);
  }

  static translation(x, y) {
    return new Affine(1, 0, 0, 1, x, y);
  }

  static scaling(x, y = x) {
    return new Affine(x, 0, 0, y, 0, 0);
  }

  /** A quarter-turn rotation, clockwise on a screen whose y grows downwards; exact, without sines. */
  static quarterTurns(degrees) {
    const turns = (((Math.round(degrees / 90) % 4) + 4) % 4);
    return [
      new Affine(1, 0, 0, 1, 0, 0),
      new Affine(0, 1, -1, 0, 0, 0),
      new Affine(-1, 0, 0, -1, 0, 0),
      new Affine(0, -1, 1, 0, 0, 0),
    ][turns];
  }

  /** This map after `first`: (this.after(first))(p) = this(first(p)). */
  after(first) {
    return new Affine(
      this.a * first.a + this.c * first.b,
      this.b * first.a + this.d * first.b,
      this.a * first.c + this.c * first.d,
      this.b * first.c + this.d * first.d,
      this.a * first.e + this.c * first.f + this.e,
      this.b * first.e + this.d * first.f + this.f,
    );
  }

  /** @returns {{x: number, y: number}} */
  apply(x, y) {
    return { x: this.a * x + this.c * y + this.e, y: this.b * x + this.d * y + this.f };
  }

  get determinant() {
    return this.a * this.d - this.b * this.c;
  }

  inverse() {
    const determinant = this.determinant;
    if (determinant === 0) throw new RangeError("This map has no inverse.");
    const [a, b] = [this.d / determinant, -this.b / determinant];
    const [c, d] = [-this.c / determinant, this.a / determinant];
    return new Affine(a, b, c, d, -(a * this.e + c * this.f), -(b * this.e + d * this.f));
  }

  /** The same map with its translation rounded to whole pixels, so that at 1:1 pixels fall on pixels. */
  onWholePixels() {
    return new Affine(this.a, this.b, this.c, this.d, Math.round(this.e), Math.round(this.f));
  }

  /** The smallest upright rectangle around the image of a rectangle. */
  boundsOf({ left, top, right, bottom }) {
    const corners = [this.apply(left, top), this.apply(right, top), this.apply(left, bottom), this.apply(right, bottom)];
    const xs = corners.map((corner) => corner.x);
    const ys = corners.map((corner) => corner.y);
    return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
  }
}
