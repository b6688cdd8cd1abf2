import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { applyWorkspacePlan, undoWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { siteOf } from './plan-site.ts';

/** What the process does: with a plan it applies it, without one it undoes what is in progress. */
export interface PlanOrder {
  readonly scratch: string;
  readonly root: string;
  /** The file of the plan. */
  readonly plan: string | null;
  /** It kills itself at the n-th entry of a journal, before or after it is on the disk; null: nowhere. */
  readonly doom: { readonly entry: number; readonly when: 'before' | 'after' } | null;
  /** Comes first on the PATH. */
  readonly path?: string;
}

const order = JSON.parse(process.argv[2] ?? '') as PlanOrder;

// only journals are written with datasync
const handle = await open(order.root);
const prototype = Object.getPrototypeOf(handle) as { datasync(): Promise<void> };
await handle.close();
const { datasync } = prototype;
let entries = 0;
prototype.datasync = async function doomed(this: unknown) {
  entries++;
  const isLast = entries === order.doom?.entry;
  if (isLast && order.doom?.when === 'before') process.kill(process.pid, 'SIGKILL');
  await datasync.call(this as never);
  if (isLast) process.kill(process.pid, 'SIGKILL');
};

const site = { ...siteOf(order, order.path), parallel: 1 };
try {
  const result =
    order.plan === null ? await undoWorkspacePlan(site) : await applyWorkspacePlan(readFileSync(order.plan), site);
  process.stdout.write(JSON.stringify({ result, entries }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: String(error), entries }));
}
