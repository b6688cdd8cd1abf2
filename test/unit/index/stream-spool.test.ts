import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { createStreamSpool } from '../../../activities/index/stream-spool.ts';
import { NO_OBJECTS, type Receipt } from '../../../domain/catalog/receipt.ts';

const LINE = `${JSON.stringify({ repo_id: 'a/b/c', op: 'add', path: 'a.ts', content: 'export const a = 1;\n' })}\n`;
const SPOOL = new URL('../../../activities/index/stream-spool.ts', import.meta.url);

test('what an interrupted run left half written is removed by the next one, what another writes is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-spool-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const program = `import { createStreamSpool } from ${JSON.stringify(SPOOL.href)};
    await createStreamSpool(${JSON.stringify(folder)}, 1e6).put(process.stdin, 'local');`;
  const writer = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  onTestFinished(() => void writer.kill('SIGKILL'));
  writer.stdin.write(LINE);
  const partials = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith('.partial'));
  await expect.poll(partials).toHaveLength(1);

  const spool = createStreamSpool(folder, 1_000_000);
  expect(await spool.put(Readable.from([LINE]), 'local')).toHaveLength(1);
  expect(await partials()).toHaveLength(1);

  writer.kill('SIGKILL');
  await once(writer, 'exit');
  expect(await partials()).toHaveLength(1);
  await spool.put(Readable.from([LINE]), 'local');
  expect(await partials()).toEqual([]);
});

test('after a run that was not finished, only a stream to where it was going or from nothing is taken', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-spool-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const spool = createStreamSpool(folder, 1_000_000);
  const [one, two, three] = ['1'.repeat(40), '2'.repeat(40), '3'.repeat(40)] as const;
  const to = (commit: string) => ({ commit, tree: '', branch: 'main', timestamp: null });
  const about = { repository: 'a/b/c', ref: 'HEAD', cloneUrl: 'stream:a/b/c', digest: 'd' };
  const held = { files: 0, objects: 0, xor: NO_OBJECTS, indexedAt: '2026-01-01T00:00:00.000Z' };
  const open = async (changeset: object, pending: Receipt['pending']) => {
    const end = `${JSON.stringify({ repo_id: 'a/b/c', new_changeset: changeset })}\n`;
    const [kept] = await spool.put(Readable.from([LINE, end]), 'a');
    return spool.open('a/b/c', kept?.stream ?? '', { ...about, ...to(one), ...held, pending });
  };
  expect(await open({ commit: three, parent: one }, null)).toMatchObject({ to: { commit: three } });
  await expect(open({ commit: three, parent: one }, to(two))).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('"parent": null') as string,
  });
  // what was taken in completely before is no way out of it either
  await expect(open({ commit: one, parent: three }, to(two))).rejects.toMatchObject({ type: 'InvalidInput' });
  expect(await open({ commit: two, parent: one }, to(two))).toMatchObject({ to: { commit: two }, full: null });
  expect(await open({ commit: three, parent: null }, to(two))).toMatchObject({ full: 'first-sync' });
});
