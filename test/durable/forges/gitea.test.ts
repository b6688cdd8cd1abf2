import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeForgeWrites } from '../../support/forges/conformance.ts';
import { addGiteaUsers, giteaPlace } from '../../support/forges/gitea-place.ts';
import { GITEA_BUILD_MS, type Gitea, startGitea } from '../../support/gitea.ts';

describe('a real Gitea', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-forges-'));
  let gitea: Gitea;
  let tokens: ReadonlyMap<string, string>;
  let organizations = 0;

  beforeAll(async () => {
    gitea = await startGitea(folder);
    tokens = await addGiteaUsers(gitea);
  }, GITEA_BUILD_MS);
  afterAll(async () => {
    await gitea?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }, 60_000);

  describeForgeWrites(() => giteaPlace(gitea, tokens, `org${organizations++}`));
});
