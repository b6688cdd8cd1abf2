import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type Account, findOnPath } from '../../platform/program.ts';
import type { PrivateNetwork } from './sandbox.ts';

/**
 * Makes a network that exists as long as a process does which only sleeps. It needs a user namespace of its own: there,
 * another process of the same user may enter it. Throws `SandboxUnusable`.
 */
export async function openPrivateNetwork(
  bubblewrap: string,
  account: Account | null,
  env: NodeJS.ProcessEnv,
): Promise<PrivateNetwork> {
  const nsenter = await findOnPath('nsenter', env);
  if (nsenter === null) {
    throw new LonghaulError(
      'SandboxUnusable',
      'nsenter (of util-linux) is not on PATH: programs cannot share a network.',
    );
  }
  const holder = spawn(
    bubblewrap,
    [
      ...'--unshare-user --unshare-net --die-with-parent --ro-bind / / --json-status-fd 3 --'.split(' '),
      '/bin/bash',
      '-c',
      'echo; exec sleep infinity',
    ],
    { env: {}, ...account, stdio: ['ignore', 'pipe', 'ignore', 'pipe'], detached: true },
  );
  const ended = new Promise<void>((resolve) => {
    holder.once('exit', () => resolve());
    holder.once('error', () => resolve());
  });
  let status = '';
  const reports = holder.stdio[3] as Readable;
  reports.on('data', (piece: Buffer) => (status += piece.toString('utf8')));
  const failed = ended.then(() => {
    throw new LonghaulError('SandboxUnusable', 'bubblewrap could not make a network for programs.');
  });
  failed.catch(() => undefined);
  const started = Promise.all([once(holder.stdio[1] as Readable, 'data'), once(reports, 'data')]);
  started.catch(() => undefined);
  await Promise.race([started, failed]);
  const pid = /"child-pid": (\d+)/.exec(status)?.[1] ?? '';
  return {
    enter: [nsenter, `--user=/proc/${pid}/ns/user`, `--net=/proc/${pid}/ns/net`, '--preserve-credentials', '--'],
    async close() {
      holder.kill('SIGKILL');
      await ended;
    },
  };
}
