// A worker process with a sandbox, for tests that run it as another user, measure it, or kill it. Its messages are
// those of test/support/sandbox-worker.ts.
import { openBlobs } from '../../activities/blobs/open-blobs.ts';
import { openSandbox } from '../../activities/sandbox/open-sandbox.ts';
import type { PrivateNetwork, Sandbox } from '../../activities/sandbox/sandbox.ts';
import { configSchema } from '../../domain/config/config.schema.ts';
import { messageOf } from '../../platform/error-code.ts';
import type { Answer, Request } from './sandbox-worker.ts';

let sandbox: Promise<Sandbox> | null = null;
let shared: Promise<PrivateNetwork> | null = null;
const running = new Map<number, AbortController>();

async function answer(request: Request): Promise<Partial<Answer>> {
  if (request.type === 'open') {
    sandbox = openSandbox({ ...request.settings, env: process.env });
    return { isolation: (await sandbox).isolation, scratch: (await sandbox).scratch };
  }
  if (request.type === 'cancel') {
    running.get(request.run)?.abort();
    return {};
  }
  const open = await sandbox;
  if (open === null) throw new Error('open it first');
  if (request.type === 'give') {
    await open.give(request.folder);
    return {};
  }
  const abort = new AbortController();
  running.set(request.id, abort);
  const draft = request.store === undefined ? null : await storeIn(request.store);
  const before = process.memoryUsage.rss();
  let most = before;
  let output = '';
  const { network } = request.program;
  if (network === 'shared') shared ??= open.openNetwork();
  const end = await open.run({
    ...request.program,
    network: network === 'shared' ? ((await shared) ?? false) : network,
    signal: abort.signal,
    async onOutput(piece) {
      most = Math.max(most, process.memoryUsage.rss());
      if (draft === null) output += piece.toString('latin1');
      else await draft.write(piece);
    },
  });
  return { end, output, grown: most - before, ...(draft === null ? {} : { blob: await draft.commit() }) };
}

async function storeIn(folder: string) {
  const config = configSchema.parse({ blobs: { type: 'folder', path: folder } });
  return (await openBlobs({ config, dataDir: folder, cacheDir: folder }, {})).draft();
}

process.on('message', (request: Request) => {
  answer(request).then(
    (more) => process.send?.({ id: request.id, ...more }),
    (error: unknown) =>
      process.send?.({
        id: request.id,
        error: { type: (error as { type?: string }).type ?? 'none', message: messageOf(error) },
      }),
  );
});
