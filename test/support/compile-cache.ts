const folder = process.env['NODE_COMPILE_CACHE'];

/**
 * For the environment of a process whose environment a test makes: where it finds compiled modules, instead of compiling
 * hundreds of them again.
 */
export const COMPILE_CACHE: Readonly<Record<string, string>> =
  folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
