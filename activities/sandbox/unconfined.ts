import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { signalGroup } from '../../platform/process-signals.ts';
import { createProcessStarter, type ProcessStarter, type StartedProcess } from '../../platform/process-starter.ts';
import { type Account, endMarked } from '../../platform/program.ts';
import { accountOfPrograms, giveTo } from './account.ts';
import { environmentOf } from './environment.ts';
import { limited } from './launcher.ts';
import { createOutputPipes } from './output-pipes.ts';
import { descendants, signalDescendants } from './process-tree.ts';
import { runToEnd, type StartedProgram } from './running-program.ts';
import type { Isolation, Sandbox, SandboxedProgram, SandboxSettings } from './sandbox.ts';
import { openScratch } from './scratch.ts';

/** Marks all processes of a program. */
const MARK = 'LONGHAUL_PROGRAM';

/** No sandbox: programs are only limited and ended. */
export async function openUnconfined(
  settings: SandboxSettings,
  starter: ProcessStarter = createProcessStarter(),
): Promise<Sandbox> {
  const { scratch, limits, toolchains, env } = settings;
  const account = accountOfPrograms();
  await openScratch(scratch, account);
  const pipes = createOutputPipes(scratch, account);
  const path = [...toolchains.map((folder) => join(folder, 'bin')), env['PATH'] ?? ''].join(':');
  const give = async (folder: string): Promise<void> => (account === null ? undefined : giveTo(account, folder));
  return {
    isolation: isolationOf(account),
    allowsNetwork: settings.network,
    workFolder: null,
    scratch,
    give,
    async run(program) {
      const own = await mkdtemp(join(scratch, 'program-'));
      try {
        await give(own);
        const folders = { HOME: program.home ?? own, TMPDIR: program.temporary ?? own };
        const environment = environmentOf(program.env, { ...folders, PATH: path });
        return await runToEnd(program, limits, pipes, (output) =>
          startMarked(starter, program, environment, settings, account, output),
        );
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    },
    // all programs share that of the machine
    openNetwork: () => Promise.resolve({ enter: [], close: () => Promise.resolve() }),
    async close() {
      await starter.close();
      await pipes.close();
    },
  };
}

async function startMarked(
  starter: ProcessStarter,
  { argv, folder }: SandboxedProgram,
  environment: readonly string[],
  { limits }: SandboxSettings,
  account: Account | null,
  output: string,
): Promise<StartedProgram> {
  const mark = randomUUID();
  const entry = `${MARK}=${mark}`;
  let started: StartedProcess;
  try {
    started = await starter.start({
      command: '/bin/bash',
      args: limited(argv, limits, null),
      env: {
        ...Object.fromEntries(environment.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string])),
        [MARK]: mark,
      },
      cwd: folder,
      ...(account === null ? {} : { account }),
      output,
    });
  } catch (error) {
    // it may run: the process that starts programs can end before it says so
    await endMarked(undefined, entry);
    throw error;
  }
  const { pid } = started;
  return {
    exited: started.ended,
    processes: () => [pid, ...descendants(pid)],
    terminate() {
      signalDescendants(pid, 'SIGTERM');
      started.kill('SIGTERM');
    },
    kill() {
      signalDescendants(pid, 'SIGKILL');
      signalGroup(pid, 'SIGKILL');
    },
    finish: () => endMarked(pid, entry),
  };
}

function isolationOf(account: Account | null): Isolation {
  const user = account === null ? `the user of the worker (${process.getuid?.()})` : `user ${account.uid}`;
  return {
    kind: 'none',
    program: null,
    holds: [
      `Programs run as ${user}, with the environment of their job.`,
      'Processes, memory, processor time, sizes of files and output of a program are limited.',
    ],
    missing: [
      `Programs read and write everything on this machine that ${user} may, and see all processes.`,
      'They have the network of this machine: Temporal there asks for no login.',
      'A process that clears its environment and starts others outlives its job.',
    ],
  };
}
