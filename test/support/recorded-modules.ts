import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The environment with which a process records its loaded modules in `file`. */
export function recordingModules(file: string): { readonly NODE_OPTIONS: string; readonly RECORDED_MODULES: string } {
  const preload = new URL('record-modules.mjs', import.meta.url);
  return { NODE_OPTIONS: `--import=${preload.href}`, RECORDED_MODULES: file };
}

/**
 * The modules that a process has loaded according to `file`: files of this repository by their path, such as
 * `workers/main.ts`, and packages by their name.
 */
export function recordedModules(file: string): ReadonlySet<string> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const modules = readFileSync(file, 'utf8')
    .split('\n')
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url))
    .filter((path) => path.startsWith(root))
    .map((path) => path.slice(root.length))
    .map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path);
  return new Set(modules);
}
