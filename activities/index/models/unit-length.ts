/** Scales a vector in place to length 1, so that a dot product is a cosine; a zero vector is unchanged. Returns it. */
export function toUnitLength(vector: Float32Array): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  if (square > 0) {
    const scale = 1 / Math.sqrt(square);
    for (let k = 0; k < vector.length; k++) vector[k] = (vector[k] ?? 0) * scale;
  }
  return vector;
}
