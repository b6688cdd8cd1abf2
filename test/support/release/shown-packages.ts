import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const INSTALLED = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/**
 * A toolchain for programs of a repository: the Node that runs the tests and its client of PostgreSQL, copied to a
 * folder that the sandbox may show wherever this repository lies. It is removed after the tests of the file.
 */
export const SHOWN_PACKAGES = mkdtempSync(join(tmpdir(), 'longhaul-packages-'));
// they run as another user
chmodSync(SHOWN_PACKAGES, 0o755);
afterAll(() => rmSync(SHOWN_PACKAGES, { recursive: true }));
cpSync(process.execPath, join(SHOWN_PACKAGES, 'bin', 'node'));
copyPackage('pg', new Set());

/** The Node of {@link SHOWN_PACKAGES}. */
export const SHOWN_NODE = join(SHOWN_PACKAGES, 'bin', 'node');

function copyPackage(name: string, copied: Set<string>): void {
  if (copied.has(name)) {
    return;
  }
  copied.add(name);
  cpSync(join(INSTALLED, name), join(SHOWN_PACKAGES, 'node_modules', name), { recursive: true });
  const { dependencies = {} } = JSON.parse(readFileSync(join(INSTALLED, name, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const dependency of Object.keys(dependencies)) {
    copyPackage(dependency, copied);
  }
}
