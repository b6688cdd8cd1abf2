import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../../../stack/folder.ts';

test('makes what is missing, for its owner, as often as asked', () => {
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

test.skipIf(process.platform !== 'linux')('says at once where nothing can be made', () => {
  expect(() => makeFolder('/proc/x/y')).toThrow('The folder /proc/x cannot be created');
});
