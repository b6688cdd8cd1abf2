import { InvalidArgumentError, type Command, Option } from 'commander';
import type { CliContext } from '../core/context.ts';
import type { CliIo } from '../core/io.ts';

/** Does the work of a command. Gives the exit code; what it throws becomes one sentence and an exit code. */
export type Work = (context: CliContext) => Promise<number> | number;

/** What a wing registers its commands with. */
export interface Commands {
  readonly program: Command;
  readonly io: CliIo;
  /** Runs a command whose arguments are parsed; `json` prints a failure as one JSON object. */
  readonly run: (options: { readonly json?: boolean }, work: Work) => Promise<void>;
}

/** Registers the commands of a wing. What they work with is loaded when they run, so that `longhaul --help` stays quick. */
export type RegisterCommands = (commands: Commands) => void;

/** `--json` of every command that prints something for programs. */
export const jsonOption = (): Option => new Option('--json', 'print one JSON value and nothing else');

/** `--metrics-address` of every process that serves. */
export const metricsAddressOption = (): Option =>
  new Option(
    '--metrics-address <host:port>',
    'serve /metrics, /healthz and /readyz there, such as 127.0.0.1:9464 (default: LONGHAUL_METRICS_ADDRESS, else nowhere)',
  );

/** An option that takes names with commas between them. */
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
