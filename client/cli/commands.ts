import type { Client } from '@temporalio/client';
import { InvalidArgumentError, type Command, Option } from 'commander';
import type { CliContext } from '../core/context.ts';
import type { CliIo } from '../core/io.ts';

/** The work of a command. Returns the exit code; an error becomes one sentence and an exit code. */
export type Work = (context: CliContext) => Promise<number> | number;

/** Prints the results of a flow. */
export interface ResultPrinter<Result = unknown> {
  /** Prints a result. */
  print(context: CliContext, result: Result): unknown;
  /** The exit code of a command that ends with this result. */
  exitCode(result: Result): number;
}

/** Loads printers by workflow type. */
export type LoadPrinters = () => Promise<ReadonlyMap<string, ResultPrinter>>;

/** One check of `longhaul doctor`. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do about it; null when nothing is wrong. */
  readonly remedy: string | null;
}

/** A wing's checks for `longhaul doctor`. `client`: Temporal; null when it does not answer. */
export type FindProblems = (context: CliContext, client: Client | null) => Promise<readonly Finding[]>;

/** A wing's part of `longhaul status`: a field of the JSON, and lines for people. */
export interface StatusPart {
  /** Name of the field, which people also see: "The fleet is unknown". */
  readonly field: string;
  /** Reads it from the servers; null while one is unavailable. */
  read(context: CliContext): Promise<{ readonly value: object; readonly text: string } | null>;
}

/** What wings add to the commands of the house. Each is loaded when such a command runs. */
export interface WingParts {
  /** Printers of results for `longhaul watch`, which prints other results as JSON. */
  readonly printers?: LoadPrinters;
  /** Checks of `longhaul doctor`. */
  readonly findProblems?: FindProblems;
  /** The wing's state in `longhaul status`. */
  readonly status?: StatusPart;
}

/** Runs a command that needs no configuration; with `json` a failure is printed as one JSON object. */
export type RunAlone = (work: () => Promise<number> | number, options?: { readonly json?: boolean }) => Promise<void>;

/** Dependencies of a wing's commands. */
export interface Commands {
  readonly program: Command;
  readonly io: CliIo;
  /** Runs a command whose arguments are parsed; with `json` a failure is printed as one JSON object. */
  readonly run: (options: { readonly json?: boolean }, work: Work) => Promise<void>;
  readonly runAlone: RunAlone;
  /** Adds the wing's parts of `longhaul watch`, `longhaul doctor` and `longhaul status`. */
  readonly add: (parts: WingParts) => void;
}

/** What commands without configuration need. */
export type CommandsAlone = Pick<Commands, 'program' | 'io' | 'runAlone'>;

/** Registers the commands of a wing. Their dependencies are loaded when they run, so that `longhaul --help` is fast. */
export type RegisterCommands = (commands: Commands) => void;

/** `--json` of every command with machine-readable output. */
export const jsonOption = (): Option => new Option('--json', 'print exactly one JSON value');

/** `--run-id` of commands for one run. */
export const runIdOption = (): Option =>
  new Option(
    '--run-id <id>',
    'a run with this workflow id, and the runs that it continued as (default: the latest)',
  ).argParser((value) => {
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return value;
    throw new InvalidArgumentError('Give the id of a run, as the Temporal UI shows it.');
  });

/** `--metrics-address` of every server process. */
export const metricsAddressOption = (): Option =>
  new Option(
    '--metrics-address <host:port>',
    'serve /metrics, /healthz and /readyz there, such as 127.0.0.1:9464 (default: LONGHAUL_METRICS_ADDRESS, else off)',
  );

/** An option with comma-separated names. */
export function listOption(flags: string, description: string): Option {
  return new Option(flags, description).default([], 'none').argParser((value) => value.split(','));
}

/** Parses a whole number from `low` to `high`. */
export function integer(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= low && number <= high) return number;
    throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`);
  };
}
