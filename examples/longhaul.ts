import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { z } from 'zod';

/** The program of the command line. */
export const BIN = fileURLToPath(new URL('../client/bin.ts', import.meta.url));
/** Exit codes with a `--json` result: success, or some repositories failed and are listed. */
const CODES_WITH_RESULT = [0, 1];

/** Longhaul's command line failed; it has printed the reason on standard error. */
export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(args: readonly string[], exitCode: number, why: string) {
    super(`\`longhaul ${args.join(' ')}\` ${why}.`);
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
  }
}

/** How to call the command line. */
export interface LonghaulOptions {
  /** The configuration file, as `LONGHAUL_CONFIG`. */
  readonly config: string;
  /** The servers' data folder, as `LONGHAUL_DATA_DIR`; default: the one that the configuration names. */
  readonly dataDir?: string | undefined;
  readonly signal?: AbortSignal;
  /** The current folder of the command. @default that of this process */
  readonly cwd?: string;
}

/**
 * Runs a command of Longhaul like a person, with its output in the same terminal. Rejects with {@link CommandFailed}.
 */
export async function longhaul(args: readonly string[], options: LonghaulOptions): Promise<void> {
  await run(args, options, 'inherit', [0]);
}

/**
 * Like {@link longhaul}, and returns what the command has printed on standard output. Rejects with {@link CommandFailed}
 * when it ends with another exit code than this one.
 */
export async function longhaulShown(
  args: readonly string[],
  options: LonghaulOptions,
  exitCode: number,
): Promise<string> {
  return (await run(args, options, ['pipe', 'inherit'], [exitCode])).stdout;
}

/**
 * Runs a command with `--json` and returns its checked result; progress goes to standard error. Rejects with {@link
 * CommandFailed}.
 */
export async function longhaulJson<T>(
  args: readonly string[],
  schema: z.ZodType<T>,
  options: LonghaulOptions,
): Promise<T> {
  const command = [...args, '--json'];
  const { stdout, exitCode } = await run(command, options, 'pipe', CODES_WITH_RESULT);
  let printed: unknown;
  try {
    printed = JSON.parse(stdout);
  } catch {
    throw new CommandFailed(command, exitCode || 1, `printed no JSON result: ${JSON.stringify(stdout.slice(0, 200))}`);
  }
  const result = schema.safeParse(printed);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new CommandFailed(command, exitCode || 1, `printed a result of a different structure (${problems})`);
}

async function run(
  args: readonly string[],
  { config, dataDir, signal, cwd }: LonghaulOptions,
  stdout: 'inherit' | 'pipe' | ['pipe', 'inherit'],
  accepted: readonly number[],
): Promise<{ stdout: string; exitCode: number }> {
  const result = await execa(process.execPath, [BIN, ...args], {
    env: { LONGHAUL_CONFIG: config, ...(dataDir !== undefined && { LONGHAUL_DATA_DIR: dataDir }) },
    ...(cwd !== undefined && { cwd }),
    stdin: 'ignore',
    stdout,
    stderr: 'inherit',
    reject: false,
    // Not in the terminal's process group: on Ctrl-C the command is stopped once, by the signal, and gets the time it
    // needs.
    detached: true,
    forceKillAfterDelay: 60_000,
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  const { exitCode } = result;
  if (exitCode === undefined) throw new CommandFailed(args, 1, `did not complete: ${result.shortMessage ?? ''}`);
  if (!accepted.includes(exitCode)) throw new CommandFailed(args, exitCode, `ended with exit code ${exitCode}`);
  return { stdout: typeof result.stdout === 'string' ? result.stdout : '', exitCode };
}
