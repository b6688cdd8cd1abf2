import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from './sandbox.ts';

/** A promise of the sandbox, and whether a program in it found it kept. */
export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
}

const SECONDS = 30;

/**
 * Starts a program in the sandbox that tries what must not be possible, and prints what was. The address of a server on
 * this machine and the path of a file outside are handed to it; what it finds is compared with this machine.
 */
const TRIALS = `
can() { if "\${@:2}" >/dev/null 2>&1; then echo "$1"; fi; }
reach() { : >"/dev/tcp/127.0.0.1/$PORT"; }
own() { [ "$(hostname)" != "$NAME" ]; }
others() { [ -d "/proc/$OUTSIDE" ] && tr '\\0' '\\n' <"/proc/$OUTSIDE/environ" | grep -q "$MARK"; }
root() { [ "$(awk '$1 == 0 && $2 == 0' /proc/self/uid_map)" != "" ] && [ "$(id -u)" = 0 ]; }
can 'network' reach
can 'home' ls -d "$PERSON"
can 'secret' cat "$SECRET"
can 'system' touch /usr/longhaul-was-here
can 'processes' others
can 'root' root
can 'folder' touch written
can 'name' own
echo "limit $(ulimit -Hu)"
`;

/** Finds what a sandbox keeps of its promises, by trying the opposite from inside. */
export async function checkSandbox(sandbox: Sandbox, processes: number): Promise<readonly Claim[]> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = await mkdtemp(join(sandbox.scratch, 'check-'));
  // the user that runs programs for root enters it
  await chmod(place, 0o711);
  const folder = join(place, 'work');
  const secret = join(place, 'secret');
  try {
    await mkdir(folder);
    await writeFile(secret, randomUUID());
    await sandbox.give(folder);
    let said = '';
    const { ended } = await sandbox.run({
      argv: ['bash', '-c', TRIALS],
      folder,
      env: {
        PORT: String((server.address() as AddressInfo).port),
        NAME: hostname(),
        PERSON: homedir(),
        SECRET: secret,
        OUTSIDE: String(process.pid),
        MARK: 'PATH=',
      },
      network: false,
      timeoutSeconds: SECONDS,
      signal: AbortSignal.timeout(SECONDS * 1_000),
      onOutput: (piece) => void (said += piece.toString('utf8')),
    });
    const could = new Set(said.split('\n'));
    return [
      { claim: 'runs programs', holds: ended === 'exit' && could.has('folder') },
      { claim: 'no network', holds: !could.has('network') },
      { claim: 'no home folder', holds: !could.has('home') && !could.has('secret') },
      { claim: 'no other processes', holds: !could.has('processes') },
      { claim: 'not root', holds: !could.has('root') && !could.has('system') },
      { claim: 'an own host name', holds: could.has('name') },
      { claim: `at most ${processes} processes`, holds: could.has(`limit ${processes}`) },
    ];
  } finally {
    server.close();
    await rm(place, { recursive: true, force: true });
  }
}
