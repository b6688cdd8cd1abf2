import { Readable } from 'node:stream';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { applyPlanFlow, type ApplyPlanResult } from '../../../domain/workspace/flows/apply-plan-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { hostAndRoot } from './host-and-root.ts';

/** How a plan is applied. */
export interface RunPlanOptions {
  /** The folder of the workspace, on the machine. */
  readonly root: string;
  /** The machine. @default this one */
  readonly host?: string | undefined;
  /** Refuse a plan that is older, in seconds. @default any age */
  readonly maxAge?: number | undefined;
  /** Only look whether it can be applied. @default false */
  readonly dryRun?: boolean | undefined;
  /** What the person has confirmed, by name, for the audit trail. @default nothing */
  readonly confirmed?: readonly string[] | undefined;
}

/** Applies a plan, given as the bytes of its file, by the flow `applyPlan`. Returns the exit code. */
export async function runPlan(
  context: CliContext,
  bytes: Uint8Array | string,
  { root: given, host: named, maxAge, dryRun, confirmed = [] }: RunPlanOptions,
  print: (result: ApplyPlanResult) => Promise<number> | number,
  options: FlowOptions,
): Promise<number> {
  const { env } = context;
  const { host, root } = await hostAndRoot(
    context,
    named === undefined ? { root: given } : { root: given, host: named },
  );
  const blobs = await openBlobs(context, env);
  const { digest: plan } = await blobs.put(Readable.from([Buffer.from(bytes)]));
  const input = {
    host,
    root,
    plan,
    by: userName(env),
    ...(maxAge === undefined ? {} : { maxAgeSeconds: maxAge }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(confirmed.length === 0 ? {} : { confirmed }),
  };
  return runFlow(context, { flow: applyPlanFlow, input, print }, options);
}
