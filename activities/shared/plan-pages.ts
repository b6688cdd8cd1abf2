import { Readable } from 'node:stream';
import type { FleetItem } from '../../domain/fleet/fleet.ts';
import { type FleetPage, type FleetPlan, pageOf, type PlanRequest } from '../../domain/fleet/plan.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { sha256 } from '../../platform/sha256.ts';
import type { BlobStore } from '../blobs/blob-store.ts';

/** Records of stored plans: `plans/<day>/<digest>`. */
const PLANS = 'plans/';
const DAY_MS = 24 * 3_600_000;

/** Days after which a stored plan is deleted. A run that still needs it makes a new one. */
const PLAN_DAYS = 7;

/** How a plan is made. */
export interface PlanMaker<Item extends FleetItem> {
  /** What the plan applies to, such as the build of an index: a stored plan with another basis is made again. */
  readonly basis: string;
  readonly make: () => Promise<FleetPlan<Item>>;
}

interface StoredPlan<Item extends FleetItem = FleetItem> {
  readonly basis: string;
  readonly plan: FleetPlan<Item>;
}

/**
 * One page of the plan of a run. A plan of more than one page is made once and stored under its digest, which each page
 * passes to the next; the last page deletes it. When it is gone, or is on another machine, a new plan is made. Pages
 * never overlap, so no item is worked on twice.
 */
export async function planPage<Item extends FleetItem>(
  blobs: BlobStore,
  request: PlanRequest,
  { basis, make }: PlanMaker<Item>,
): Promise<FleetPage<Item>> {
  const { plan: digest } = request;
  const known = digest === undefined ? null : await readPlan<Item>(blobs, digest);
  const stored = known?.basis === basis ? known.plan : null;
  const plan = stored ?? (await make());
  const page = pageOf(plan, request);
  if (page.next !== null) return { ...page, plan: stored && digest ? digest : await storePlan(blobs, { basis, plan }) };
  if (digest !== undefined) await deletePlan(blobs, digest);
  return page;
}

async function storePlan(blobs: BlobStore, plan: StoredPlan): Promise<string> {
  await deleteOldPlans(blobs);
  const text = JSON.stringify(plan);
  const day = new Date().toISOString().slice(0, 10);
  // first: a process that dies between the two leaves no plan that nothing deletes
  await blobs.putRecord(`${PLANS}${day}/${sha256(text)}`, new Uint8Array());
  const { digest } = await blobs.put(Readable.from([Buffer.from(text)]));
  return digest;
}

/** Null when the plan is missing or damaged. */
async function readPlan<Item extends FleetItem>(blobs: BlobStore, digest: string): Promise<StoredPlan<Item> | null> {
  try {
    const content = await blobs.open(digest);
    return JSON.parse(Buffer.concat((await content.toArray()) as Buffer[]).toString('utf8')) as StoredPlan<Item>;
  } catch (error) {
    if (error instanceof LonghaulError && ['BlobNotFound', 'BlobDamaged'].includes(error.type)) return null;
    throw error;
  }
}

async function deletePlan(blobs: BlobStore, digest: string): Promise<void> {
  await blobs.delete(digest);
  for await (const record of blobs.listRecords(PLANS)) {
    if (record.endsWith(`/${digest}`)) await blobs.deleteRecord(record);
  }
}

async function deleteOldPlans(blobs: BlobStore): Promise<void> {
  const oldest = new Date(Date.now() - PLAN_DAYS * DAY_MS).toISOString().slice(0, 10);
  for await (const record of blobs.listRecords(PLANS)) {
    const [, day = '', digest = ''] = record.split('/');
    if (day >= oldest) continue;
    await blobs.delete(digest);
    await blobs.deleteRecord(record);
  }
}
