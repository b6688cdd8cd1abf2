// The process of createKubectlProxies: runs one `kubectl proxy` and ends it when its parent ends, however that dies. It
// is named by the arguments: the program, then its options; what it serves is a socket in a folder of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProxyEvent } from './kubectl-proxies.ts';

/** What kubectl prints when it listens. */
const LISTENS = 'Starting to serve on';
/** Characters of its messages that are kept, the last ones. */
const SAID = 10_000;

const [program = '', ...options] = process.argv.slice(2);
// only its owner may enter it
const folder = mkdtempSync(join(tmpdir(), 'longhaul-kubectl-'));
const socket = join(folder, 'api');
const child = spawn(program, [...options, `--unix-socket=${socket}`], { stdio: ['ignore', 'pipe', 'pipe'] });
let printed = '';
let said = '';
let isEnding = false;

child.stdout.setEncoding('utf8').on('data', (text: string) => {
  if (printed.includes(LISTENS)) return;
  printed += text;
  if (printed.includes(LISTENS)) tell({ type: 'serves', socket });
});
child.stderr.setEncoding('utf8').on('data', (text: string) => {
  said = (said + text).slice(-SAID);
});
child.once('error', ({ code }: NodeJS.ErrnoException) => end({ type: 'missing', code }));
child.once('close', () => end({ type: 'ended', said }));
process.once('disconnect', () => end());
// the parent ends this process when it is done
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

function tell(event: ProxyEvent, done: () => void = () => undefined): void {
  if (process.connected) process.send?.(event, done);
  else done();
}

function end(event?: ProxyEvent): void {
  if (isEnding) return;
  isEnding = true;
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  if (event === undefined) process.exit();
  else tell(event, () => process.exit());
}
