import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ANALYSIS_CACHE, type Analyzer, createAnalyzer } from '../../../activities/index/analysis/analyzer.ts';
import { createReleasableAnalyzer } from '../../../activities/index/analysis/releasable-analyzer.ts';
import { FIRST_RUN_MS, realModel } from './real-model.ts';

/** An analyzer whose calls last until the test ends them, with a log of its calls. */
function scripted(): {
  open: () => Promise<Analyzer>;
  log: string[];
  end: (() => void)[];
  failOnce: (error: Error) => void;
} {
  const log: string[] = [];
  const end: (() => void)[] = [];
  let failure: Error | null = null;
  let opened = 0;
  const open = async (): Promise<Analyzer> => {
    const error = failure;
    failure = null;
    if (error !== null) throw error;
    const number = ++opened;
    log.push(`open ${number}`);
    await Promise.resolve();
    return {
      digest: 'd'.repeat(16),
      modelDigest: 'm'.repeat(16),
      dimensions: 3,
      counts: { get: () => number, put: () => log.push(`put ${number}`) },
      analyze: () => Promise.reject(new Error('not asked')),
      countChunks: () => new Promise((resolve) => end.push(() => resolve([number]))),
      embedQuery: () => Promise.resolve(Float32Array.of(number)),
      close: async () => {
        log.push(`close ${number}`);
        await Promise.resolve();
      },
    };
  };
  return { open, log, end, failOnce: (error) => (failure = error) };
}

describe('an analyzer that can be released', () => {
  test('opens once, is closed by a release, and opens again on its next use', async () => {
    const { open, log } = scripted();
    const analyzer = await createReleasableAnalyzer(open);
    expect(analyzer).toMatchObject({ digest: 'd'.repeat(16), modelDigest: 'm'.repeat(16), dimensions: 3 });
    expect(await analyzer.embedQuery('a')).toEqual(Float32Array.of(1));
    expect([log, analyzer.isOpen()]).toEqual([['open 1'], true]);
    await analyzer.release();
    expect([log, analyzer.isOpen()]).toEqual([['open 1', 'close 1'], false]);
    const answers = await Promise.all([analyzer.embedQuery('a'), analyzer.embedQuery('b')]);
    expect(answers).toEqual([Float32Array.of(2), Float32Array.of(2)]);
    expect([log, analyzer.isOpen()]).toEqual([['open 1', 'close 1', 'open 2'], true]);
    expect(analyzer.counts.get({ blob: 'f00', name: 'a.ts' })).toBe(2);
    await analyzer.close();
    expect(log).toEqual(['open 1', 'close 1', 'open 2', 'close 2']);
  });

  test('stays open for the calls in progress, and is closed with the last of them', async () => {
    const { open, log, end } = scripted();
    const analyzer = await createReleasableAnalyzer(open);
    const calls = [analyzer.countChunks([]), analyzer.countChunks([])];
    await expect.poll(() => end.length).toBe(2);
    await analyzer.release();
    expect([log, analyzer.isOpen()]).toEqual([['open 1'], true]);
    end[0]?.();
    expect(await calls[0]).toEqual([1]);
    expect(log).toEqual(['open 1']);
    end[1]?.();
    expect(await calls[1]).toEqual([1]);
    expect([log, analyzer.isOpen()]).toEqual([['open 1', 'close 1'], false]);
  });

  test('is closed after a failed call, too', async () => {
    const { open, log } = scripted();
    const analyzer = await createReleasableAnalyzer(open);
    const call = analyzer.analyze([]);
    await analyzer.release();
    await expect(call).rejects.toThrow('not asked');
    expect(log).toEqual(['open 1', 'close 1']);
  });

  test('a call that cannot open it fails, and the next one tries again', async () => {
    const { open, log, failOnce } = scripted();
    const analyzer = await createReleasableAnalyzer(open);
    await analyzer.release();
    failOnce(new Error('no such model'));
    await expect(analyzer.embedQuery('a')).rejects.toThrow('no such model');
    expect(analyzer.isOpen()).toBe(false);
    expect(await analyzer.embedQuery('a')).toEqual(Float32Array.of(2));
    expect(log).toEqual(['open 1', 'close 1', 'open 2']);
  });

  test('a real one releases its threads and files', { timeout: FIRST_RUN_MS }, async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'longhaul-released-'));
    onTestFinished(() => rm(cacheDir, { recursive: true, force: true }));
    const model = await realModel('static');
    const threads = (): number => (process.report.getReport() as { workers: unknown[] }).workers.length;
    const files = (): number => openFiles().filter((path) => path === join(cacheDir, ANALYSIS_CACHE)).length;
    const before = threads();
    const analyzer = await createReleasableAnalyzer(() => createAnalyzer({ model, cacheDir, threads: { max: 1 } }));
    onTestFinished(() => analyzer.close());
    const source = { path: 'a.ts', content: Buffer.from('export const answer = 42;\n') };
    const use = async (): Promise<void> => {
      expect((await analyzer.analyze([source])).files).toHaveLength(1);
      analyzer.counts.put([{ blob: 'f00', name: 'a.ts', chunks: 1 }]);
      expect(threads()).toBe(before + 1);
      expect(files() > 0).toBe(SHOWS_FILES);
    };
    await use();
    await analyzer.release();
    expect([threads(), files()]).toEqual([before, 0]);
    // it works again
    await use();
    await analyzer.release();
    expect([threads(), files()]).toEqual([before, 0]);
    // counts need no thread, and their file is closed by the next release
    expect(analyzer.counts.get({ blob: 'f00', name: 'a.ts' })).toBe(1);
    await analyzer.release();
    expect([threads(), files()]).toEqual([before, 0]);
  });
});

const SHOWS_FILES = existsSync('/proc/self/fd');

/** Paths of the files that this process has open, where the system shows them. */
function openFiles(): string[] {
  if (!SHOWS_FILES) return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      return [];
    }
  });
}
