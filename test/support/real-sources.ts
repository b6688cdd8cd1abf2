import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Files } from './estate.ts';

/** Packages that this project depends on, with their many source files. */
const PACKAGES = ['rxjs', '@aws-sdk/client-s3', '@temporalio', 'zod', 'fast-check', '@octokit', '@opentelemetry'];
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const SOURCE = /\.(?:m|c)?[jt]s$/;

/**
 * The first source files of installed packages, in the same order every time: at most `limit`, none larger than
 * `maxBytes`.
 */
export function realSources(limit: number, { skip = 0, maxBytes = 20_000 } = {}): Files {
  const found: [string, string][] = [];
  for (const name of PACKAGES) {
    const names = (readdirSync(join(MODULES, name), { recursive: true }) as string[]).filter((path) =>
      SOURCE.test(path),
    );
    for (const path of names.toSorted()) {
      if (found.length === skip + limit) return Object.fromEntries(found.slice(skip));
      const content = readFileSync(join(MODULES, name, path), 'utf8');
      if (content.length <= maxBytes) found.push([`${name.replace('@', '')}/${path}`, content]);
    }
  }
  throw new Error(`the installed packages have ${found.length} source files, fewer than ${skip + limit}`);
}
