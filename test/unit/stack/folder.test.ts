import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../../../stack/folder.ts';

test('creates missing folders, for their owner only, idempotently', () => {
  const root = mkdtempSync(join(tmpdir(), 'longhaul-folder-'));
  try {
    const folder = join(root, 'a', 'b');
    makeFolder(folder);
    makeFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.skipIf(process.platform !== 'linux')('reports immediately where a folder cannot be created', () => {
  expect(() => makeFolder('/proc/x/y')).toThrow('The folder /proc/x cannot be created');
});
