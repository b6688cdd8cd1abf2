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

/** Dependencies of a wing's commands. */
export interface Commands {
  readonly program: Command;
  readonly io: CliIo;
  /** Runs a command whose arguments are parsed; with `json` a failure is printed as one JSON object. */
  readonly run: (options: { readonly json?: boolean }, work: Work) => Promise<void>;
  /** Runs a command that needs no configuration. */
  readonly runAlone: (work: () => Promise<number> | number) => Promise<void>;
  /** Adds the wing's result printers for `longhaul watch`, which prints other results as JSON. */
  readonly addPrinters: (load: LoadPrinters) => void;
}

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
