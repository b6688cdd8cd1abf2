import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { createStreamSpool } from '../../../activities/index/stream-spool.ts';

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
