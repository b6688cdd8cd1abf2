import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { applyWorkspacePlan, undoWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { type DoomedCall, doomCalls } from './doomed-calls.ts';
import { siteOf } from './plan-site.ts';

/** What the process does: with a plan it applies it, without one it undoes what is in progress. */
export interface PlanOrder {
  readonly scratch: string;
  readonly root: string;
  /** The file of the plan. */
  readonly plan: string | null;
  /** The id of the plan that is undone. */
  readonly id: string;
  /**
   * It kills itself at the n-th entry of a journal that announces a change, before or after it is on the disk; or at the
   * n-th call that changes the disk.
   */
  readonly doom: { readonly entry: number; readonly when: 'before' | 'after' } | DoomedCall | null;
  /** Comes first on the PATH. */
  readonly path?: string;
}

const order = JSON.parse(process.argv[2] ?? '') as PlanOrder;

// only journals are written with appendFile and datasync; how many gits live long enough to be recorded differs
const handle = await open(order.root);
const prototype = Object.getPrototypeOf(handle) as Pick<typeof handle, 'appendFile' | 'datasync'>;
await handle.close();
const { appendFile, datasync } = prototype;
let entries = 0;
let isDoomed = false;
prototype.appendFile = async function counting(this: typeof handle, text: string) {
  const before = entries;
  entries += text.split('\n').filter((line) => line !== '' && !line.includes('"type":"child"')).length;
  const { doom } = order;
  isDoomed = doom !== null && 'entry' in doom && before < doom.entry && entries >= doom.entry;
  await appendFile.call(this, text);
};
prototype.datasync = async function doomed(this: typeof handle) {
  if (isDoomed && order.doom?.when === 'before') process.kill(process.pid, 'SIGKILL');
  await datasync.call(this);
  if (isDoomed) process.kill(process.pid, 'SIGKILL');
};

const calls = doomCalls(order.doom !== null && 'call' in order.doom ? order.doom : null);
const site = { ...siteOf(order, order.path), parallel: 1 };
try {
  const result =
    order.plan === null
      ? await undoWorkspacePlan(site, order.id)
      : await applyWorkspacePlan(readFileSync(order.plan), site);
  process.stdout.write(JSON.stringify({ result, entries, calls: calls() }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: String(error), entries }));
}
