import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { inject } from 'vitest';
import { createProgram } from '../../client/cli/program.ts';
import type { Estate } from './estate.ts';
import { memoryIo } from './memory-io.ts';
import { NAMESPACE } from './namespace.ts';

/** The command line's program. */
export const BIN = fileURLToPath(new URL('../../client/bin.ts', import.meta.url));

/** The exit code and output of a command. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment in which commands find the shared servers and an estate. */
export function commandEnv(estate: Estate, change: Record<string, string | undefined> = {}): Record<string, string> {
  const { temporalAddress, weaviate, modelFolder, cacheDir } = inject('stack');
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    USER: 'tester',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: NAMESPACE,
    WEAVIATE_URL: weaviate.url,
    WEAVIATE_GRPC: weaviate.grpc,
    WEAVIATE_API_KEY: weaviate.apiKey ?? '',
    LONGHAUL_CONFIG: estate.configPath,
    LONGHAUL_CACHE_DIR: cacheDir,
    LONGHAUL_DATA_DIR: estate.dataDir,
    LONGHAUL_MODEL_DIR: modelFolder,
    ...change,
  };
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Runs `longhaul` in this process to its end, which saves the second that a process takes to start. */
export async function longhaul(env: Record<string, string>, args: readonly string[], input?: string): Promise<Ended> {
  const io = memoryIo(env, input);
  const exitCode = await createProgram({ io }).run(args);
  return { exitCode, stdout: io.out(), stderr: io.err() };
}

/**
 * Runs `longhaul` as a separate process to its end, for tests of the process itself: one for each group of commands.
 */
export async function longhaulProcess(
  env: Record<string, string>,
  args: readonly string[],
  input?: string,
  cwd = process.cwd(),
): Promise<Ended> {
  const ended = await execa(process.execPath, [BIN, ...args], {
    cwd,
    env,
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  });
  return { exitCode: ended.exitCode ?? -1, stdout: ended.stdout, stderr: ended.stderr };
}

/** Runs `longhaul` in a pseudo-terminal and types `answer`, or its result, when `question` appears. */
export async function longhaulOnTerminal(
  env: Record<string, string>,
  args: readonly string[],
  { question, answer, cwd }: { question: string; answer: string | (() => Promise<string>); cwd?: string },
): Promise<{ exitCode: number; screen: string }> {
  const terminal = execa(
    'python3',
    [
      '-c',
      'import os,pty,sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))',
      process.execPath,
      BIN,
      ...args,
    ],
    { env: { ...env, TERM: 'xterm' }, extendEnv: false, reject: false, stdin: 'pipe', ...(cwd && { cwd }) },
  );
  let screen = '';
  let answered = false;
  terminal.stdout.on('data', (data: Buffer) => {
    screen += data.toString();
    if (!answered && screen.includes(question)) {
      answered = true;
      if (typeof answer === 'string') terminal.stdin.write(answer);
      else
        void answer().then(
          (typed) => terminal.stdin.write(typed),
          () => terminal.kill(),
        );
    }
  });
  const { exitCode } = await terminal;
  return { exitCode: exitCode ?? -1, screen };
}
