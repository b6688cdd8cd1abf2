import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../../activities/workspace/journal.ts';
import { failureOf } from '../../support/mgit.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';

interface Numbered {
  readonly at: number;
  readonly text?: string;
}
const isNumbered = (value: unknown): value is Numbered =>
  typeof value === 'object' && value !== null && typeof (value as Numbered).at === 'number';

test('has its entries in the order in which they were added, also for the next process', async () => {
  const file = join(scratchFolder(), 'new', 'journal');
  const journal = await openJournal(file, isNumbered);
  expect(journal.entries).toEqual([]);
  await Promise.all(Array.from({ length: 100 }, (_value, at) => journal.append({ at, text: 'é\n' })));
  await journal.close();
  const again = await openJournal(file, isNumbered);
  onTestFinished(() => again.close());
  expect(again.entries.map(({ at }) => at)).toEqual(Array.from({ length: 100 }, (_value, at) => at));
  expect(again.entries[0]?.text).toBe('é\n');
  // the owner's alone: it has paths and programs
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('forgets the entry that a killed process was writing, and goes on after the one before', async () => {
  const file = join(scratchFolder(), 'journal');
  writeFileSync(file, '{"at":0,"text":"é"}\n{"at":1}\n{"at":2,"te');
  const journal = await openJournal(file, isNumbered);
  expect(journal.entries.map(({ at }) => at)).toEqual([0, 1]);
  await journal.append({ at: 7 });
  await journal.close();
  expect(readFileSync(file, 'utf8')).toBe('{"at":0,"text":"é"}\n{"at":1}\n{"at":7}\n');
});

test('is refused with something else in it', async () => {
  const file = join(scratchFolder(), 'journal');
  for (const [text, line] of [
    ['{"at":0}\nnonsense\n{"at":1}\n', 2],
    ['{"at":"0"}\n', 1],
    ['\n', 1],
  ] as const) {
    writeFileSync(file, text);
    expect(await failureOf(openJournal(file, isNumbered))).toContain(`is damaged in line ${line}`);
    expect(readFileSync(file, 'utf8')).toBe(text);
  }
});

test('has every entry that was announced when its process is killed at any moment', async () => {
  const file = join(scratchFolder(), 'journal');
  const program = fileURLToPath(new URL('../../support/workspace/journal-process.ts', import.meta.url));
  for (let kill = 0; kill < 5; kill++) {
    const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (piece: Buffer) => void (printed += piece.toString()));
    await once(child.stdout, 'data');
    await delay(Math.random() * 50);
    child.kill('SIGKILL');
    await once(child, 'close');
    const announced = Number(printed.trimEnd().split('\n').at(-1));
    const journal = await openJournal(file, isNumbered);
    expect(journal.entries.length).toBeGreaterThan(announced);
    expect(journal.entries.map(({ at }) => at)).toEqual(Array.from(journal.entries.keys()));
    await journal.close();
  }
});

test('says that the disk is full, and takes nothing more', async () => {
  const disk = await mountSmallDisk();
  onTestFinished(() => disk.dispose());
  const file = join(disk.folder, 'journal');
  const journal = await openJournal(file, isNumbered);
  await journal.append({ at: 0 });
  await disk.fill(0);
  const large = { at: 1, text: 'x'.repeat(100_000) };
  expect(await failureOf(journal.append(large))).toMatch(/^DiskFailed: The journal .* cannot be used: ENOSPC/u);
  await disk.empty();
  expect(await failureOf(journal.append({ at: 2 }))).toContain('ENOSPC');
  expect(journal.entries).toEqual([{ at: 0 }]);
  await journal.close();
  const again = await openJournal(file, isNumbered);
  expect(again.entries).toEqual([{ at: 0 }]);
  await again.close();
});
