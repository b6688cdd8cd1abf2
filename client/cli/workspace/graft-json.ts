import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { GraftError, graftKindOf } from '../../../domain/workspace/graft-error.ts';
import type { CliContext } from '../../core/context.ts';
import { Interrupted, printError, shownError } from '../../core/errors.ts';
import type { Output } from '../../core/io.ts';
import type { Work } from '../commands.ts';

/** Prints a value as Graft does: one line of JSON, with the keys of each object in their order. */
export function printGraftJson(stdout: Output, value: object): void {
  stdout.write(`${canonicalText(value)}\n`);
}

/** A command whose failures are Graft's JSON: `{"error":{"details","kind","message"}}`. */
export function withGraftErrors({ json }: { readonly json?: boolean }, work: Work): Work {
  return async (context) => {
    try {
      return await work(context);
    } catch (error) {
      if (json !== true || error instanceof Interrupted) throw error;
      return printGraftError(context, error);
    }
  };
}

function printGraftError({ stdout, stderr, stdin, env, signals }: CliContext, error: unknown): number {
  const { type, message, remedy, exitCode } = shownError(error);
  if (type === 'Unexpected') return printError(error, true, { stdout, stderr, stdin, env, signals });
  const { kind, details } =
    error instanceof GraftError ? error : { kind: graftKindOf(type), details: { remedy, type } };
  printGraftJson(stdout, { error: { details, kind, message } });
  return exitCode;
}
