import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type BlobStore, createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { planPage } from '../../../activities/shared/plan-pages.ts';
import type { FleetPage, FleetPlan } from '../../../domain/fleet/plan.ts';

const SIZE = 10_000;
const LIMIT = 500;

/** A plan of ten thousand repositories that all need work; counts how often it is made. */
function planner(size = SIZE): { plans: () => number; make: () => Promise<FleetPlan> } {
  let plans = 0;
  const work = Array.from({ length: size }, (_, at) => ({ id: `p/o/r${String(at).padStart(5, '0')}` }));
  return {
    plans: () => plans,
    make: () => {
      plans++;
      return Promise.resolve({ matched: size, work, upToDate: [], failures: [] });
    },
  };
}

function openStore(): BlobStore {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-plans-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return createBlobStore(createFolderObjects(folder), join(folder, 'making'));
}

/** Requests all pages of a run like its flow; `between` is called after each. */
async function run(
  blobs: BlobStore,
  make: () => Promise<FleetPlan>,
  between: (page: FleetPage) => Promise<void> | void = () => undefined,
): Promise<FleetPage[]> {
  const pages: FleetPage[] = [];
  for (let after: string | null = null, plan: string | undefined; ;) {
    const page: FleetPage = await planPage(
      blobs,
      { after, limit: LIMIT, ...(plan === undefined ? {} : { plan }) },
      { basis: 'build', make },
    );
    pages.push(page);
    await between(page);
    if (page.next === null) return pages;
    after = page.next;
    plan = page.plan;
  }
}

async function recordsOf(blobs: BlobStore): Promise<string[]> {
  const names: string[] = [];
  for await (const name of blobs.listRecords('plans/')) names.push(name);
  return names;
}

const idsOf = (pages: readonly FleetPage[]): string[] =>
  pages.flatMap(({ repositories }) => repositories.map(({ id }) => id));

test('a run over ten thousand repositories makes one plan, reads all its pages, and deletes it', async () => {
  const blobs = openStore();
  const { plans, make } = planner();
  const pages = await run(blobs, make);
  expect(pages).toHaveLength(SIZE / LIMIT);
  expect(plans()).toBe(1);
  expect(new Set(pages.slice(0, -1).map(({ plan }) => plan)).size).toBe(1);
  expect(idsOf(pages)).toEqual((await make()).work.map(({ id }) => id));
  expect(await blobs.has(pages[0]?.plan ?? '')).toBe(false);
  expect(await recordsOf(blobs)).toEqual([]);
});

test('a plan of one page is not stored', async () => {
  const blobs = openStore();
  const { plans, make } = planner(LIMIT);
  const pages = await run(blobs, make);
  expect([plans(), pages.length, pages[0]?.plan]).toEqual([1, 1, undefined]);
  expect(await recordsOf(blobs)).toEqual([]);
});

test('a deleted plan is made again, and no page overlaps', async () => {
  const blobs = openStore();
  const { plans, make } = planner();
  const pages = await run(blobs, make, async (page) => {
    if (page.plan !== undefined) await blobs.delete(page.plan);
  });
  expect(plans()).toBe(SIZE / LIMIT);
  expect(idsOf(pages)).toEqual((await make()).work.map(({ id }) => id));
});

test('a repeated request, after the answer was lost, returns the same page', async () => {
  const blobs = openStore();
  const { make } = planner(1_200);
  const first = await planPage(blobs, { after: null, limit: LIMIT }, { basis: 'build', make });
  const plan = first.plan ?? '';
  expect(await planPage(blobs, { after: null, limit: LIMIT }, { basis: 'build', make })).toEqual(first);
  const request = { after: 'p/o/r00999', limit: LIMIT, plan };
  const last = await planPage(blobs, request, { basis: 'build', make });
  expect(last).toMatchObject({ next: null });
  // the last page has deleted the plan
  expect(await planPage(blobs, request, { basis: 'build', make })).toEqual(last);
});

test('plans of unfinished runs are deleted after a week', async () => {
  const blobs = openStore();
  const { make } = planner(600);
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  vi.setSystemTime('2026-11-01T12:00:00Z');
  const { plan = '' } = await planPage(blobs, { after: null, limit: LIMIT }, { basis: 'build', make });
  vi.setSystemTime('2026-11-08T12:00:00Z');
  await planPage(blobs, { after: null, limit: LIMIT }, { basis: 'build', make: planner(700).make });
  expect(await blobs.has(plan)).toBe(true);
  vi.setSystemTime('2026-11-09T12:00:00Z');
  await planPage(blobs, { after: null, limit: LIMIT }, { basis: 'build', make: planner(800).make });
  expect(await blobs.has(plan)).toBe(false);
  expect(await recordsOf(blobs)).toHaveLength(2);
});

test('a plan whose process died after it was stored is deleted after a week, too', async () => {
  const blobs = openStore();
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  vi.setSystemTime('2026-11-01T12:00:00Z');
  let digest = '';
  const dying: BlobStore = {
    ...blobs,
    async put(content) {
      ({ digest } = await blobs.put(content));
      throw new Error('the process dies here');
    },
  };
  const first = { after: null, limit: LIMIT };
  await expect(planPage(dying, first, { basis: 'build', make: planner(600).make })).rejects.toThrow('dies here');
  expect(await blobs.has(digest)).toBe(true);
  vi.setSystemTime('2026-11-09T12:00:00Z');
  await planPage(blobs, first, { basis: 'build', make: planner(700).make });
  expect(await blobs.has(digest)).toBe(false);
});
