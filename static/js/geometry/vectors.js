/** Arithmetic of three numbers: patient coordinates in millimetres, L, P and H positive (PS3.3 C.7.6.2.1.1). */

export function dot(one, other) {
  return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}

export function cross(one, other) {
  return [
    one[1] * other[2] - one[2] * other[1],
    one[2] * other[0] - one[0] * other[2],
    one[0] * other[1] - one[1] * other[0],
  ];
}

export function minus(one, other) {
  return one.map((part, axis) => part - other[axis]);
}

/** one + factor × other */
export function plus(one, other, factor = 1) {
  return one.map((part, axis) => part + factor * other[axis]);
}
