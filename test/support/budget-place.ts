import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { expect, inject, onTestFinished } from 'vitest';
import { fingerprintOf } from '../../activities/forges/account.ts';
import { createEstate, type Estate } from './estate.ts';
import type { Forge, ForgeAccess } from './forge.ts';
import { collectRuns } from './recorded-runs.ts';
import { replayAll } from './replay.ts';
import { startTemplateForge, TOKEN } from './template-forge.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

export interface Place {
  readonly forge: Forge;
  readonly estate: Estate;
  readonly host: string;
  /** Workflow id of the budget. */
  readonly budget: string;
  /** A worker of all roles, in a separate process. */
  readonly work: () => Promise<WorkerProcess>;
}

export async function place(names: readonly string[], access: ForgeAccess, provider: object): Promise<Place> {
  let forge: Forge | null = null;
  const estate = await createEstate({
    providers: async (root) => {
      forge = await startTemplateForge(root, names, { token: TOKEN, ...access });
      return [{ name: 'work', type: 'github', url: forge.url, tokenEnv: 'FORGE_TOKEN', ...provider }];
    },
  });
  onTestFinished(() => estate.dispose());
  const { url } = forge as unknown as Forge;
  onTestFinished(() => (forge as unknown as Forge).close());
  const host = new URL(url).host;
  const work = async (): Promise<WorkerProcess> => {
    const worker = await startWorkerProcess(estate, { env: { FORGE_TOKEN: TOKEN } });
    onTestFinished(() => worker.kill());
    return worker;
  };
  return { forge: forge as unknown as Forge, estate, host, budget: `forge/${host}/${fingerprintOf(TOKEN)}`, work };
}

/** The budget's own history replays, and stays small; it never holds a secret. */
export async function expectBudgetSound(client: Client, budget: string): Promise<void> {
  const handle = client.workflow.getHandle(budget);
  const { runId } = await handle.describe();
  const runs = await collectRuns(client, [[budget, runId]]);
  await replayAll(runs, inject('stack').workflowBundle);
  for (const { history } of runs) {
    const bytes = Buffer.from(temporal.api.history.v1.History.encode(history).finish());
    expect([bytes.includes(budget), bytes.includes(TOKEN)]).toEqual([true, false]);
  }
  await handle.terminate();
}
