import type { FailedUndo, Repair } from '../../../domain/shared/repair.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { connectTemporal } from '../../core/servers.ts';
import { userName } from '../../core/user-name.ts';

/** Options of `longhaul repair`. */
export interface RepairOptions {
  /** Print exactly one JSON value. */
  readonly json?: boolean;
  /** Ends the flow as it is. */
  readonly giveUp?: boolean;
  /** The reason, for the record. */
  readonly why?: string;
}

/** `longhaul repair`: lets a flow undo again what it could not. Exit code 1 when something is left. */
export async function repairCommand(
  context: CliContext,
  workflowId: string,
  { json = false, giveUp = false, why }: RepairOptions,
): Promise<number> {
  const session = await connectTemporal(context);
  try {
    const handle = session.client.workflow.getHandle(workflowId);
    const decision: Repair = { proceed: !giveUp, by: userName(context.env), ...(why === undefined ? {} : { why }) };
    const left = await handle.executeUpdate<readonly FailedUndo[], [Repair]>('repair', { args: [decision] });
    if (json) context.stdout.write(`${JSON.stringify({ workflowId, left })}\n`);
    else if (left.length === 0) context.stdout.write('Everything is undone.\n');
    else {
      context.stdout.write(giveUp ? 'The flow has ended. Undo by hand:\n' : 'Not everything could be undone:\n');
      for (const { undo, error } of left) context.stdout.write(`  ${printable(`${undo}: ${error}`)}\n`);
    }
    return left.length === 0 ? 0 : 1;
  } finally {
    await session.close();
  }
}
