/** The version of a generation: three numbers of SemVer 2.0 without leading zeros, with or without `v`. */
export const VERSION_FORM = /^v?(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

/** What to write instead of an invalid version. */
export const NOT_A_VERSION = 'must be a version such as v1.5.0: three numbers, without leading zeros';

/** A version as Longhaul writes it, and as its tag is called: `1.5.0` becomes `v1.5.0`. */
export function canonicalVersion(written: string): string {
  return written.startsWith('v') ? written : `v${written}`;
}

/** Where the file of a generation may be in a contract folder, with or without `v`, the usual place first. */
export function generationPaths(version: string): readonly string[] {
  return [version, version.slice(1)].flatMap((name) => [`generations/${name}.yaml`, `generations/${name}.yml`]);
}
