import { resolve } from 'node:path';
import envPaths from 'env-paths';

/** The folders for Longhaul's data and cache. */
export interface UserFolders {
  readonly data: string;
  readonly cache: string;
}

/** Absolute paths of the folders that `LONGHAUL_DATA_DIR` and `LONGHAUL_CACHE_DIR` name, else of `fallback`. */
export function userFolders(
  env: NodeJS.ProcessEnv,
  fallback: { readonly [Folder in keyof UserFolders]?: UserFolders[Folder] | undefined } = {},
): UserFolders {
  const defaults = envPaths('longhaul', { suffix: '' });
  return {
    data: pick(env['LONGHAUL_DATA_DIR'], fallback.data ?? defaults.data),
    cache: pick(env['LONGHAUL_CACHE_DIR'], fallback.cache ?? defaults.cache),
  };
}

function pick(given: string | undefined, other: string): string {
  return given ? resolve(given) : other;
}
