import { readFile } from 'node:fs/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { ApplyPlanResult } from '../../../domain/workspace/flows/apply-plan-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import type { FlowOptions } from '../flows/run-flow.ts';
import { runPlan, type RunPlanOptions } from './run-plan.ts';
import { whyNotOpen } from './why-not-open.ts';

/** Options of `longhaul workspace apply`. */
export interface ApplyPlanOptions extends FlowOptions, RunPlanOptions {}

/** `longhaul workspace apply`: applies a plan that `workspace plan -o` wrote, all of it or nothing. */
export async function applyCommand(context: CliContext, file: string, options: ApplyPlanOptions): Promise<number> {
  const bytes = await readFile(file).catch((error: unknown) => {
    const why = whyNotOpen(error, file);
    if (why === null) throw error;
    throw new LonghaulError('InvalidInput', `The plan cannot be read: ${why}.`, { cause: error });
  });
  const print = (result: ApplyPlanResult): number => {
    for (const line of linesOf(result)) context.stdout.write(`${printable(line)}\n`);
    return 0;
  };
  return runPlan(context, bytes, options, print, options);
}

function linesOf({ plan, outcome, operations, drift, kept, unverified = [] }: ApplyPlanResult): readonly string[] {
  const said = {
    committed: `Plan ${plan} is applied: ${operations} operations.`,
    unchanged: `Plan ${plan} was applied already: nothing to do.`,
    verified: `Plan ${plan} can be applied: ${operations} operations. Nothing was changed.`,
  }[outcome];
  return [
    said,
    ...drift.map((each) => `not as planned: ${each}`),
    ...unverified,
    ...kept.map((folder) => `kept, because something new came into it: ${folder}`),
  ];
}
