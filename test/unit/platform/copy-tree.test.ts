import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { copyTree } from '../../../platform/copy-tree.ts';

/** What is in a folder, as `find` sees it. */
function listed(folder: string): string {
  const format = '%P %y %m %l %s %T@\\n';
  return execFileSync('find', ['.', '-not', '-type', 'd', '-printf', format], { cwd: folder }).toString();
}

test('a copied folder has files, modes, links and times of the other, and shares no file with it', async () => {
  const place = mkdtempSync(join(tmpdir(), 'longhaul-copy-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const from = join(place, 'from');
  mkdirSync(join(from, 'a', 'b'), { recursive: true });
  mkdirSync(join(from, 'empty'));
  writeFileSync(join(from, 'a', 'b', 'program'), '#!/bin/sh\n');
  chmodSync(join(from, 'a', 'b', 'program'), 0o755);
  writeFileSync(join(from, 'ü text'), 'text');
  for (const file of ['a/b/program', 'ü text']) utimesSync(join(from, file), 1_000_000_000, 1_100_000_000);
  symlinkSync('../nowhere', join(from, 'a', 'link'));
  execFileSync('touch', ['-h', '-d', '@1200000000', join(from, 'a', 'link')]);
  const to = join(place, 'to');
  await copyTree(from, to);
  expect(listed(to)).toBe(listed(from));
  expect(readFileSync(join(to, 'a', 'b', 'program'), 'utf8')).toBe('#!/bin/sh\n');
  writeFileSync(join(to, 'ü text'), 'changed');
  expect(readFileSync(join(from, 'ü text'), 'utf8')).toBe('text');
});
