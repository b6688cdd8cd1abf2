import { signalProcess } from '../../platform/process-signals.ts';
import { type Account, findOnPath, runProgram } from '../../platform/program.ts';
import { identify, isRunning, type ProcessIdentity } from '../../platform/process-identity.ts';
import { createProcessStarter, type ProcessStarter } from '../../platform/process-starter.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { atLeast } from '../../platform/version.ts';
import { accountOfPrograms, giveTo } from './account.ts';
import { environmentOf } from './environment.ts';
import { ENVIRONMENT_FILE, HOME, type Jail, jailArguments, openJail, WORK } from './jail.ts';
import { limited } from './launcher.ts';
import { createOutputPipes } from './output-pipes.ts';
import { openPrivateNetwork } from './private-network.ts';
import { descendants, signalDescendants } from './process-tree.ts';
import { runToEnd, type StartedProgram } from './running-program.ts';
import type { Isolation, SandboxedEnd, Sandbox, SandboxedProgram, SandboxSettings } from './sandbox.ts';
import { openScratch } from './scratch.ts';

/** The oldest version with everything that {@link jailArguments} asks for. */
const OLDEST = [0, 8] as const;
const TRIAL_SECONDS = 20;
/** File descriptors of bubblewrap: for its reports, and for the environment of the program. */
const [STATUS, ENVIRONMENT] = [3, 4];

/** A sandbox of namespaces: each program is started by a bubblewrap of its own. Throws `SandboxUnusable`. */
export async function openBubblewrap(settings: SandboxSettings): Promise<Sandbox> {
  const program = await findBubblewrap(settings.env);
  const account = accountOfPrograms();
  await openScratch(settings.scratch, account);
  const jail = await openJail(settings);
  const pipes = createOutputPipes(settings.scratch, account);
  const starter = createProcessStarter();
  const run = (one: SandboxedProgram): Promise<SandboxedEnd> =>
    runToEnd(one, settings.limits, pipes, (output) => startJailed(starter, program.path, jail, one, account, output));
  const close = async (): Promise<void> => {
    await starter.close();
    await pipes.close();
    await jail.close();
  };
  try {
    await tryOut(run, settings.scratch);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    isolation: isolationOf(program.version, settings, account),
    allowsNetwork: settings.network,
    workFolder: WORK,
    scratch: settings.scratch,
    give: async (folder) => (account === null ? undefined : giveTo(account, folder)),
    run,
    openNetwork: () => openPrivateNetwork(program.path, account, settings.env),
    close,
  };
}

async function findBubblewrap(env: NodeJS.ProcessEnv): Promise<{ path: string; version: string }> {
  const path = await findOnPath('bwrap', env);
  if (path === null) throw new LonghaulError('SandboxUnusable', 'bubblewrap (the program bwrap) is not on PATH.');
  const { stdout } = await runProgram(path, ['--version'], { env: {} });
  const version = /\d+(\.\d+)+/.exec(stdout)?.[0] ?? '';
  if (!atLeast(version, ...OLDEST)) {
    throw new LonghaulError('SandboxUnusable', `bubblewrap at ${path} is ${version}, older than ${OLDEST.join('.')}.`);
  }
  return { path, version };
}

/** Bubblewrap needs permissions that some systems and containers do not give. */
async function tryOut(run: Sandbox['run'], folder: string): Promise<void> {
  let said = '';
  const { exitCode } = await run({
    argv: ['true'],
    folder,
    env: {},
    network: false,
    timeoutSeconds: TRIAL_SECONDS,
    signal: AbortSignal.timeout(TRIAL_SECONDS * 1_000),
    onOutput: (piece) => void (said += piece.toString('utf8')),
  });
  if (exitCode !== 0) throw new LonghaulError('SandboxUnusable', `A program in bubblewrap fails: ${said.trim()}.`);
}

async function startJailed(
  starter: ProcessStarter,
  path: string,
  jail: Jail,
  program: SandboxedProgram,
  account: Account | null,
  output: string,
): Promise<StartedProgram> {
  const environment = environmentOf(program.env, { HOME, TMPDIR: '/tmp', PATH: jail.path });
  const { network } = program;
  const enter = typeof network === 'boolean' ? [] : network.enter;
  const [command, ...before] = [...enter, path];
  const status = createStatus();
  const bubblewrap = await starter.start({
    command,
    args: [
      ...before,
      ...jailArguments(jail, program, ENVIRONMENT),
      '--json-status-fd',
      String(STATUS),
      '--',
      '/bin/bash',
      ...limited(program.argv, jail.limits, ENVIRONMENT_FILE),
    ],
    // neither the environment of the program nor that of this process is for bubblewrap itself
    env: {},
    ...(account === null ? {} : { account }),
    output,
    input: environment.map((line) => `${line}\0`).join(''),
    onReport: (text) => status.read(text),
  });
  return {
    exited: bubblewrap.ended,
    processes: () => (status.init === null ? [] : descendants(status.init.pid)),
    terminate() {
      if (status.init === null) bubblewrap.kill('SIGKILL');
      else signalDescendants(status.init.pid, 'SIGTERM');
    },
    kill() {
      // the kernel kills all processes of the namespace with its first one
      if (status.init !== null && isRunning(status.init)) signalProcess(status.init.pid, 'SIGKILL');
      bubblewrap.kill('SIGKILL');
    },
    async finish() {
      await bubblewrap.reported;
      // bubblewrap has ended, so its first process is being killed, and with it all others
      while (status.init !== null && isRunning(status.init)) await delay(1);
    },
    checkStarted(said, { killedBy }) {
      if (!status.hasRun && killedBy === null) {
        throw new LonghaulError('SandboxUnusable', `bubblewrap could not start the program: ${said}.`);
      }
    },
  };
}

interface Status {
  /** The first process of the namespace, as this process sees it; null when unknown. */
  init: ProcessIdentity | null;
  /** True when the program was started and has ended. */
  hasRun: boolean;
  /** Reads the JSON objects that bubblewrap reports. The program in it does not have this pipe. */
  read(piece: string): void;
}

function createStatus(): Status {
  let text = '';
  const status: Status = {
    init: null,
    hasRun: false,
    read(piece) {
      text += piece;
      const pid = /"child-pid": (\d+)/.exec(text)?.[1];
      if (pid !== undefined) status.init ??= identify(Number(pid));
      status.hasRun = text.includes('"exit-code"');
    },
  };
  return status;
}

function isolationOf(version: string, settings: SandboxSettings, account: Account | null): Isolation {
  const { limits, network, toolchains } = settings;
  const user = account === null ? `the user of the worker (${process.getuid?.()})` : `user ${account.uid}`;
  return {
    kind: 'bubblewrap',
    program: `bubblewrap ${version}`,
    holds: [
      `Programs run as ${user}, without rights, and see no other processes.`,
      `They read the system${toolchains.length === 0 ? '' : ' and the toolchains'}, and write only to their own folders.`,
      network ? 'They have no network unless a job asks for it.' : 'They have no network.',
      `They have at most ${limits.processes} processes, ${gigabytes(limits.memoryBytes)} of memory, files of ${gigabytes(limits.fileBytes)}, ` +
        `${limits.cpuSeconds} processor seconds a process, and ${gigabytes(limits.outputBytes)} of output.`,
    ],
    missing: [
      'Memory of all processes together is measured four times a second; memfd files and System V segments are not counted.',
      'Programs share the kernel with this machine.',
      ...(network ? ['A job with a network reaches the servers of this machine, and Temporal asks for no login.'] : []),
    ],
  };
}

function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(3))} GB`;
}
