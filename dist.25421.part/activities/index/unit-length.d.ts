/** Scales a vector in place to length 1, so that a dot product is a cosine; one of zeros stays as it is. Returns it. */
export declare function toUnitLength(vector: Float32Array): Float32Array;
