import { expect } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { advanceFleet } from '../../../examples/fleet.ts';
import { test } from '../../support/catalog/flows.ts';
import { dumpFromScratch, dumpOf } from '../../support/catalog/from-scratch.ts';
import { faultsOf } from '../../support/catalog/index-dump.ts';
import { changedFiles, makePublishedFleet, PUBLISHED } from '../../support/published-fleet.ts';
import { gitAsync } from '../../support/scratch-git.ts';

test('fifteen repositories are onboarded with one pattern, and 500 changed files are synced with one run', async ({
  flows,
}) => {
  const { estate, tools, client } = flows;
  const packages = await makePublishedFleet(estate.root);
  const counts = await Promise.all(packages.map((pkg) => changedFiles(estate.gitDir(pkg.path), pkg)));
  const changed = counts.reduce((sum, count) => sum + count, 0);
  expect(changed).toBeGreaterThanOrEqual(500);

  const onboarding = await startFlow(client, 'onboardRepositories', { patterns: ['published/*'] });
  expect(await onboarding.result()).toMatchObject({ matched: 15, succeeded: 15, failed: 0 });
  expect(await advanceFleet({ root: estate.root, packages })).toBe(15);
  const sync = await startFlow(client, 'syncRepositories', { all: true });
  expect(await sync.result()).toMatchObject({ matched: 15, succeeded: 15, failed: 0, filesChanged: changed });

  process.stderr.write(`${PUBLISHED.length} repositories by one pattern, ${changed} files changed by one delta run\n`);
  const heads = await Promise.all(PUBLISHED.map((name) => gitAsync(estate.gitDir(name), 'rev-parse', 'HEAD')));
  const receipts = await tools.store.receipts();
  expect(receipts.map(({ repository, commit }) => [repository, commit])).toEqual(
    PUBLISHED.map((name, at) => [`local/${name}`, heads[at]]),
  );

  const dump = await dumpOf(tools.store);
  expect(faultsOf(dump)).toEqual([]);
  const providers = [{ name: 'local', type: 'local', root: estate.root }];
  expect(dump).toEqual(
    await dumpFromScratch(
      providers,
      receipts.map(({ repository }) => repository),
    ),
  );
});
