import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { FlowRegistry } from '../../../domain/shared/flow.ts';
import type { CliContext } from '../../core/context.ts';
import { chainOf } from '../../core/run-chain.ts';
import { connectTemporal } from '../../core/servers.ts';
import type { LoadPrinters } from '../commands.ts';
import { askForConfirmation, followToEnd } from './run-flow.ts';

/** Options of `longhaul watch`. */
export interface WatchOptions {
  /** Print the result as one JSON object and nothing else. @default false */
  readonly json?: boolean;
  /** Any run of the chain to follow. @default the latest */
  readonly runId?: string;
  readonly flows: FlowRegistry;
  readonly printers: readonly LoadPrinters[];
}

/**
 * `longhaul watch`: follows a running flow, or shows the result of an ended one. Follows a run that continues as new,
 * but not a later run with the same workflow id. Throws `InvalidInput` for a run that is not a declared flow.
 */
export async function watchFlow(
  context: CliContext,
  workflowId: string,
  { json = false, runId, flows, printers }: WatchOptions,
): Promise<number> {
  const session = await connectTemporal(context);
  try {
    const found = await session.client.workflow.getHandle(workflowId, runId).describe();
    const flow = flows.find(found.type);
    if (flow === null) {
      throw new LonghaulError(
        'InvalidInput',
        `${workflowId} is a run of ${found.type}, which is not a flow of Longhaul.`,
      );
    }
    const chain = chainOf(session.client, found);
    const mayAsk = Object.hasOwn(flow.updates, 'confirm');
    if (mayAsk && context.stdin.isTTY && !json) await askForConfirmation(context, chain);
    const result = await followToEnd(context, chain, { json });
    const printer = (await Promise.all(printers.map((load) => load()))).map((all) => all.get(flow.type)).find(Boolean);
    if (json) context.stdout.write(`${JSON.stringify({ workflowId, ...(result as object) })}\n`);
    else if (printer === undefined) context.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else await printer.print(context, result);
    return printer?.exitCode(result) ?? 0;
  } finally {
    await session.close();
  }
}
