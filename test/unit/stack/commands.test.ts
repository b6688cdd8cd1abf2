import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CliContext } from '../../../client/core/context.ts';
import { atLeast } from '../../../platform/version.ts';
import { down } from '../../../client/cli/stack/down.ts';
import { progressLines } from '../../../client/cli/stack/progress-lines.ts';
import { applyConfig } from '../../../client/cli/catalog/groups.ts';
import { runWorker } from '../../../client/cli/stack/worker.ts';
import { stackTable } from '../../../client/cli/stack/stack-table.ts';
import { status } from '../../../client/cli/stack/status.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { memoryIo } from '../../support/memory-io.ts';
import { NO_STATE } from '../../../stack/state.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-commands-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function context(): CliContext & { said: () => string } {
  const stdout = screen(false);
  return {
    config: configSchema.parse({}),
    configPath: null,
    dataDir: folder,
    cacheDir: folder,
    ...memoryIo(),
    stdout: stdout.stream,
    stderr: stdout.stream,
    said: stdout.text,
  };
}

function screen(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const pipe = new PassThrough();
  const chunks: string[] = [];
  pipe.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  const stream = Object.assign(pipe, { isTTY, columns: 40 }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => chunks.join('') };
}

test('with nothing running, status returns 1 and down returns 0', async () => {
  const told = context();
  expect(await status({ json: false, parts: [] }, told)).toBe(1);
  expect(await down(told)).toBe(0);
  expect(told.said()).toBe(
    `Nothing is running on ${folder}: start it with \`longhaul up\`.\nNothing is running on ${folder}.\n`,
  );
  const json = context();
  await status({ json: true, parts: [] }, json);
  expect(JSON.parse(json.said())).toEqual({ status: 'stopped', dataDir: folder, cleared: [] });
});

test('an unreadable state is a typed failure', async () => {
  writeFileSync(join(folder, 'stack.json'), 'nonsense');
  await expect(down(context())).rejects.toMatchObject({ type: 'StackFailed' });
  await expect(down(context())).rejects.toThrow(/stack\.json is not JSON/);
});

test('without a terminal, progress is plain lines, and few of a passing state', () => {
  const { stream, text } = screen(false);
  const progress = progressLines(stream);
  for (const bytes of [1, 2, 3]) progress({ about: 'temporal', message: `${bytes} MB`, passing: true });
  progress({ about: 'temporal', message: 'fetched', passing: false });
  expect(text()).toBe('temporal: 1 MB\ntemporal: fetched\n');
});

test('on a terminal, a passing state is replaced and never wraps', () => {
  const { stream, text } = screen(true);
  const progress = progressLines(stream);
  progress({ about: 'weaviate', message: 'x'.repeat(100), passing: true });
  progress({ about: 'weaviate', message: 'built', passing: false });
  expect(text()).toBe(`weaviate: ${'x'.repeat(29)}\r\u001B[2Kweaviate: built\n`);
});

test('the table is plain, aligned, and without a key', () => {
  const state = {
    ...NO_STATE,
    temporal: {
      address: '127.0.0.1:7233',
      uiUrl: 'http://127.0.0.1:8233',
      namespace: 'n',
      source: 'fetched',
      version: '1.32.0',
    },
    children: [{ name: 'worker', pid: 7, start: '' }],
  } as const;
  expect(stackTable(state, { ...context(), dataDir: '/data' })).toBe(
    [
      'Temporal     127.0.0.1:7233         1.32.0, fetched, namespace n',
      'Temporal UI  http://127.0.0.1:8233',
      'Worker       process 7',
      'Data         /data                  logs in logs/',
    ].join('\n'),
  );
});

test('versions are compared by number', () => {
  expect(atLeast('2.36.1', 2, 36)).toBe(true);
  expect(atLeast('2.9.5', 2, 36)).toBe(false);
  expect(atLeast('3.0', 2, 36)).toBe(true);
  expect(atLeast('of unknown version', 2, 36)).toBe(false);
});

test.for([
  [{ roles: 'flows', metricsAddress: 'nonsense' }, {}, /^--metrics-address: give host:port/],
  [{ roles: 'flows' }, { LONGHAUL_METRICS_ADDRESS: '9464' }, /^LONGHAUL_METRICS_ADDRESS: give host:port/],
  [
    { roles: 'flow' },
    {},
    /^--roles: there is no role "flow"; available: flows, repos, ledger, pipelines, deploy, and host:NAME\.$/,
  ],
] as const)('no worker starts with %j and %j', async ([options, env, message]) => {
  await expect(runWorker({ ...context(), env }, options)).rejects.toThrow(
    expect.objectContaining({
      type: expect.stringMatching(/^Invalid/) as string,
      message: expect.stringMatching(message) as string,
    }),
  );
});

test('a folder instead of a declaration is reported as one', async () => {
  await expect(applyConfig(context(), { file: folder })).rejects.toThrow(`--file: ${folder} is a folder`);
  await expect(applyConfig(context(), { file: `${folder}/none` })).rejects.toThrow('there is no file');
});
