/** Bytes of one manifest. The largest of published packages have a quarter of this. */
export const LARGEST_MANIFEST = 524_288;
/** Bytes of all manifests of one repository together. */
export const MOST_BYTES = 16_777_216;
/** Requirements of Python in one repository: each takes its parser a third of a millisecond. */
export const MOST_PYTHON_REQUIREMENTS = 20_000;
/** Manifests of one repository that are read. */
export const MOST_MANIFESTS = 5_000;
/** Levels of brackets within each other in a manifest; real ones have fewer than ten. */
export const DEEPEST_NESTING = 100;
