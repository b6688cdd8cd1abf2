import { InvalidArgumentError, type Command, Option } from 'commander';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import type { CliContext } from '../core/context.ts';
import type { CliIo } from '../core/io.ts';

/** The work of a command. Returns the exit code; an error becomes one sentence and an exit code. */
export type Work = (context: CliContext) => Promise<number> | number;

/** What a wing needs to register its commands. */
export interface Commands {
  readonly program: Command;
  readonly io: CliIo;
  /** Loads the declared flows. */
  readonly flows: () => Promise<FlowRegistry>;
  /** Runs a command whose arguments are parsed; with `json` a failure is printed as one JSON object. */
  readonly run: (options: { readonly json?: boolean }, work: Work) => Promise<void>;
}

/** Registers the commands of a wing. Their dependencies are loaded when they run, so that `longhaul --help` is fast. */
export type RegisterCommands = (commands: Commands) => void;

/** `--json` of every command with machine-readable output. */
export const jsonOption = (): Option => new Option('--json', 'print exactly one JSON value');

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
