import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type QuarantinePlace,
  quarantineRepository,
} from '../../../activities/workspace/quarantine/quarantine-repository.ts';
import { quarantineSite } from './quarantine-site.ts';

/** What such a process is told. */
interface KeepOrder {
  readonly scratch: string;
  readonly place: QuarantinePlace;
  readonly calls: number;
}

/** Keeps a repository in a process of its own, which kills itself when it flushes a file for this many times. */
export async function keepAndDie(scratch: string, place: QuarantinePlace, calls: number): Promise<string | null> {
  const order = JSON.stringify({ scratch, place, calls } satisfies KeepOrder);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), order], { stdio: 'inherit' });
  const [, killedBy] = (await once(child, 'close')) as [number | null, string | null];
  return killedBy;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { scratch, place, calls } = JSON.parse(process.argv[2] ?? '') as KeepOrder;
  const handle = await open(scratch);
  const prototype = Object.getPrototypeOf(handle) as Pick<typeof handle, 'sync'>;
  await handle.close();
  const { sync } = prototype;
  let count = 0;
  prototype.sync = async function dying(this: typeof handle) {
    if (++count === calls) process.kill(process.pid, 'SIGKILL');
    await sync.call(this);
  };
  await quarantineRepository(quarantineSite(scratch), place, 'ada');
}
