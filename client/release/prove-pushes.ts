import type { Client } from '@temporalio/client';
import type { Push } from '../../domain/forge/webhook/action.ts';
import { isBranchName } from '../../domain/git/branch.ts';
import { proveOnPushFlow } from '../../domain/release/flows/push-flow.ts';
import { startDeclared } from '../core/start-flow.ts';

/** Branches of one message whose heads are proven; forges send no message for more. */
const MOST_PROVEN = 50;

/** Starts what pushes may prove. Returns the workflow ids; a repetition joins the runs that go on. */
export async function provePushes(client: Client, pushes: readonly Push[]): Promise<readonly string[]> {
  const wanted = pushes.filter(({ branch }) => isBranchName(branch)).slice(0, MOST_PROVEN);
  const started = await Promise.all(wanted.map((push) => startDeclared(client, proveOnPushFlow, push)));
  return started.map(({ workflowId }) => workflowId);
}
