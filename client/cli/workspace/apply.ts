import { readFile, realpath } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { applyPlanFlow, type ApplyPlanResult } from '../../../domain/workspace/flows/apply-plan-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { whyNotOpen } from './why-not-open.ts';

/** Options of `longhaul workspace apply`. */
export interface ApplyPlanOptions extends FlowOptions {
  /** The folder of the workspace, on the machine. */
  readonly root: string;
  /** The machine. @default this one */
  readonly host?: string;
  /** Refuse a plan that is older, in seconds. @default any age */
  readonly maxAge?: number;
  /** Only look whether it can be applied. @default false */
  readonly dryRun?: boolean;
}

/** `longhaul workspace apply`: applies a plan that `workspace plan -o` wrote, all of it or nothing. */
export async function applyCommand(context: CliContext, file: string, options: ApplyPlanOptions): Promise<number> {
  const { config, env, stdout } = context;
  const { host = config.host?.name, maxAge, dryRun } = options;
  if (host === undefined) {
    throw new LonghaulError(
      'InvalidInput',
      'This machine has no name: add the section "host" to longhaul.yaml, or name another machine with --host.',
    );
  }
  // a folder of another machine is not on this disk
  const root = host === config.host?.name ? await realpath(options.root).catch(() => options.root) : options.root;
  const bytes = await readFile(file).catch((error: unknown) => {
    const why = whyNotOpen(error, file);
    if (why === null) throw error;
    throw new LonghaulError('InvalidInput', `The plan cannot be read: ${why}.`, { cause: error });
  });
  const blobs = await openBlobs(context, env);
  const { digest: plan } = await blobs.put(Readable.from([bytes]));
  const input = {
    host,
    root,
    plan,
    by: userName(env),
    ...(maxAge === undefined ? {} : { maxAgeSeconds: maxAge }),
    ...(dryRun === undefined ? {} : { dryRun }),
  };
  const print = (result: ApplyPlanResult): number => {
    for (const line of linesOf(result)) stdout.write(`${printable(line)}\n`);
    return 0;
  };
  return runFlow(context, { flow: applyPlanFlow, input, print }, options);
}

function linesOf({ plan, outcome, operations, drift, kept }: ApplyPlanResult): readonly string[] {
  const said = {
    committed: `Plan ${plan} is applied: ${operations} operations.`,
    unchanged: `Plan ${plan} was applied already: nothing to do.`,
    verified: `Plan ${plan} can be applied: ${operations} operations. Nothing was changed.`,
  }[outcome];
  return [
    said,
    ...drift.map((each) => `not as planned: ${each}`),
    ...kept.map((folder) => `kept, because something new came into it: ${folder}`),
  ];
}
