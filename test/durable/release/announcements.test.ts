import { expect, vi } from 'vitest';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { promoteGenerationFlow } from '../../../domain/release/flows/promotion-flows.ts';
import { git } from '../../support/scratch-git.ts';
import { REPOSITORY, test } from '../../support/release/releases.ts';
import { commit, generation, prove, write } from '../../support/release/work.ts';

const VERSION = 'v1.0.0';
const GOES_ON = 'announcement to chat: goes on until the channel takes it';
/** A limit against hanging: the announcement waits at most a minute between attempts here. */
const WAIT = { timeout: 200_000, interval: 500 };

test('a channel that takes no announcement keeps neither the promotion open nor its lock, and gets it once', async ({
  release,
}) => {
  const { chat, client, clone, ledger, longhaul, replayed } = release;
  write(clone, {
    [`.longhaul/generations/${VERSION}.yaml`]: generation(VERSION, ['FEAT-1']),
    '.longhaul/pipelines/full-ci.yaml': "name: full-ci\nsteps: [{name: unit, command: 'true'}]\n",
  });
  commit(clone, 'chore: contracts');
  const at = await prove(release, VERSION, 'FEAT-1', { 'a.txt': 'a\n' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  const events = async () =>
    (
      await ledger.sql<{ published: string[]; workflow_id: string }>(
        `SELECT details_json -> 'published' AS published, workflow_id FROM audit_events
         WHERE event_type = 'generation.published' AND resource_id = $1 ORDER BY event_id`,
        [VERSION],
      )
    ).map(({ published, workflow_id: id }) => [id, published.filter((line) => line.startsWith('announcement'))]);
  const promote = () =>
    startDeclared(client, promoteGenerationFlow, { repository: REPOSITORY, version: VERSION, commit: at, by: 'ada' });
  const generationId = `generation/${REPOSITORY}/${VERSION}`;
  const announcementId = `announcement/${REPOSITORY}/${VERSION}/chat`;
  const announcement = client.workflow.getHandle(announcementId);

  chat.status = 500;
  const { published } = await (await promote()).result();
  expect(published).toContain(GOES_ON);
  expect(await events()).toEqual([[generationId, [GOES_ON]]]);
  const tried = chat.refused.length;
  expect(tried).toBeGreaterThan(1);
  // the lock is free, and the announcement has one of its own
  const again = await promote();
  expect((await again.result()).published).toContain(GOES_ON);
  expect((await announcement.describe()).status.name).toBe('RUNNING');
  expect(await events()).toHaveLength(1);

  chat.status = 200;
  await vi.waitUntil(async () => (await announcement.describe()).status.name !== 'RUNNING', WAIT);
  expect(await announcement.result()).toMatchObject({ status: 'published', refusal: null });
  expect(chat.said).toMatchObject([{ event: 'promoted', version: VERSION, commit: at }]);
  expect(new Set([...chat.refused, ...chat.said].map(({ id }) => id)).size).toBe(1);
  expect(await events()).toEqual([
    [generationId, [GOES_ON]],
    [announcementId, ['announcement to chat: sent']],
  ]);
  const rows = await ledger.sql<{ attempts: number }>("SELECT status, attempts FROM publications WHERE name = 'chat'");
  expect(rows).toEqual([{ status: 'published', attempts: chat.refused.length + 1 }]);
  expect((await longhaul('generation', 'status', VERSION)).stdout).not.toContain('Missing');
  expect((await (await promote()).result()).published.filter((line) => line.startsWith('announcement'))).toEqual([]);
  expect(chat.said).toHaveLength(1);
  replayed(generationId);
  replayed(announcementId);
});

test('an announcement that is cancelled on its own is recorded, and the next promotion sends it', async ({
  release,
}) => {
  const { chat, client, clone, ledger, replayed } = release;
  const version = 'v1.1.0';
  write(clone, { [`.longhaul/generations/${version}.yaml`]: generation(version, ['FEAT-2']) });
  commit(clone, 'chore: another generation');
  const at = await prove(release, version, 'FEAT-2', { 'a.txt': 'b\n' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  const promote = () =>
    startDeclared(client, promoteGenerationFlow, { repository: REPOSITORY, version, commit: at, by: 'ada' });
  const id = `announcement/${REPOSITORY}/${version}/chat`;
  chat.status = 500;
  await (await promote()).result();
  await client.workflow.getHandle(id).cancel();
  await expect(client.workflow.getHandle(id).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect(
    await ledger.sql('SELECT event_type, actor FROM audit_events WHERE workflow_id = $1 ORDER BY event_id', [id]),
  ).toMatchObject([{ event_type: 'publication.cancelled' }]);
  chat.status = 200;
  expect((await (await promote()).result()).published).toContain('announcement to chat: sent');
  replayed(id);
});
