import { redact } from '../../domain/shared/redact.ts';
import { OutputLimitError, pick, readAll, startProgram } from '../../platform/program.ts';
import { readProgramLines } from '../../platform/program-lines.ts';
import { type GitOwner, OWNER_VARIABLE } from '../git/git.ts';

/** How a program of a plan runs. */
export interface PlanProgramOptions {
  /** Absolute path of its working folder. */
  readonly cwd: string;
  /** The environment of the person, of which it gets {@link INHERITED} only. */
  readonly env: NodeJS.ProcessEnv;
  /** Further variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is ended. */
  readonly timeoutMs: number;
  /** Ends the program and all processes that it started. */
  readonly signal?: AbortSignal | undefined;
}

/** How a program of a plan has ended. */
export interface PlanProgramEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  /** The last lines of what it said, of stderr or else of stdout, without secrets. */
  readonly tail: string;
}

/** Variables without secrets that tools need to find their files. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TZ',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'GOPATH',
  'GOCACHE',
  'GOMODCACHE',
  'GOROOT',
  'CARGO_HOME',
  'RUSTUP_HOME',
  'UV_CACHE_DIR',
];

const MOST_OUTPUT_BYTES = 10_000_000;
const TAIL_LINES = 10;
const LONGEST_LINE = 500;

/**
 * Runs a program for a plan, without a shell, in a group of its own that ends with it. Its processes have the mark of the
 * plan's process, and it is in the journal, so that a recovery ends them. Rejects with `ENOENT` where there is no such
 * program, with an `OutputLimitError`, and with the reason of an abort or timeout.
 */
export async function runPlanProgram(
  owner: GitOwner,
  [program = '', ...args]: readonly string[],
  { cwd, env, variables = {}, timeoutMs, signal }: PlanProgramOptions,
): Promise<PlanProgramEnd> {
  const started = startProgram(program, args, {
    cwd,
    env: { ...pick(env, INHERITED), ...variables, [OWNER_VARIABLE]: owner.mark },
    timeoutMs,
    signal,
  });
  const known = started.pid === undefined ? Promise.resolve() : owner.onStarted(started.pid);
  known.catch(() => started.kill());
  started.stdin.end();
  const lines: string[] = [];
  readProgramLines(started.stderr, (line) => {
    lines.push(line);
    if (lines.length > TAIL_LINES) lines.shift();
  });
  const printed = await readAll(started, MOST_OUTPUT_BYTES, () => new OutputLimitError(program, MOST_OUTPUT_BYTES));
  const { code } = await started.ended;
  await known;
  const stdout = printed.toString('utf8');
  const tail = lines.length > 0 ? lines : stdout.trimEnd().split('\n').slice(-TAIL_LINES);
  // before lines are cut: a part of a secret is not found
  const said = redact(tail.join('\n')).split('\n');
  return { code, stdout, tail: said.map((line) => line.slice(0, LONGEST_LINE)).join('\n') };
}
