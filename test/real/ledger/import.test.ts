import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readGrytDatabase } from '../../../activities/ledger/gryt-database.ts';
import { importGryt } from '../../../activities/ledger/import-gryt.ts';
import { withLedger } from '../../../activities/ledger/open-ledger.ts';
import { git } from '../../../examples/git.ts';
import { commandEnv, longhaul, longhaulProcess } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { writeGrytDatabase } from '../../support/gryt-database.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';

let estate: Estate;
let ledger: TestLedger;
let env: Record<string, string>;
let clone: string;
let commit: string;
beforeAll(async () => {
  estate = await createEstate();
  ledger = await createTestLedger();
  env = commandEnv(estate, { DATABASE_URL: ledger.logins.owner });
  commit = await estate.create('org/one', { 'README.md': 'one' });
  clone = join(estate.root, '..', 'clone');
  await git(['clone', '--quiet', estate.gitDir('org/one'), clone]);
  const person = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
  await git(['-C', clone, ...person, 'tag', '--annotate', '--message=1', 'v1.0.0', commit]);
  writeGrytDatabase(join(clone, 'gryt.db'));
});
afterAll(async () => {
  await ledger.dispose();
  await estate.dispose();
});

test('a gryt database is taken over once, with its code names, and what does not fit is listed', async () => {
  const done = await longhaulProcess(env, ['db', 'import', 'gryt.db'], undefined, clone);
  expect(done.exitCode, done.stderr).toBe(0);
  expect(done.stdout.trim().split('\n')).toEqual([
    'local/org/one: 2 generations, 3 changes, 4 evolutions, 1 events imported.',
    'Left out: generation v1.2.0: the repository has no tag v1.2.0.',
    'Left out: generation v1.3.0: its status is abandoned.',
    'Left out: generation next: its version is not one such as v1.2.3.',
    'Left out: change lower-1: its id is not one such as FEAT-201.',
    'Left out: change FEAT-203: its generation was left out.',
    'Left out: evolution e-5: its change was left out.',
    'Left out: 1 rows of pipelines: the ledger has no place for them.',
    'Left out: 1 rows of snapshots: the ledger has no place for them.',
  ]);
  expect(
    await ledger.sql(
      `SELECT version, status, commit, tag, promoted_at, promoted_by, created_by FROM generations ORDER BY 1`,
    ),
  ).toEqual([
    {
      version: 'v1.0.0',
      status: 'promoted',
      commit,
      tag: 'v1.0.0',
      promoted_at: new Date('2024-01-20T12:30:00Z'),
      promoted_by: 'grace',
      created_by: 'ada',
    },
    {
      version: 'v1.1.0',
      status: 'draft',
      commit: null,
      tag: null,
      promoted_at: null,
      promoted_by: null,
      created_by: 'unknown',
    },
  ]);
  expect(await ledger.sql(`SELECT change_id, position, pipeline, status FROM generation_changes ORDER BY 1`)).toEqual([
    { change_id: 'FEAT-201', position: 0, pipeline: null, status: 'proven' },
    { change_id: 'FEAT-202', position: 0, pipeline: null, status: 'pending' },
    { change_id: 'FIX-7', position: 1, pipeline: 'quick', status: 'pending' },
  ]);
  expect(await ledger.sql(`SELECT code_name, tag, status FROM evolutions ORDER BY tag`)).toEqual([
    { code_name: 'grand-tender-panther', tag: 'v1.0.0-rc.1', status: 'fail' },
    { code_name: 'calm-green-owl', tag: 'v1.0.0-rc.4', status: 'pass' },
    { code_name: 'old-quick-fox', tag: 'v1.0.0-rc.5', status: 'abandoned' },
    { code_name: 'new-slow-cat', tag: 'v1.1.0-rc.1', status: 'pending' },
  ]);
  expect(
    await ledger.sql(`SELECT event_type, actor, authenticated_by, details_json -> 'imported' ->> 'timestamp' AS at
      FROM audit_events WHERE repository IS NOT NULL ORDER BY event_id`),
  ).toEqual([
    { event_type: 'gryt.promote', actor: 'grace', authenticated_by: 'imported', at: '2024-01-20 14:30:00' },
    { event_type: 'ledger.imported', actor: 'tester', authenticated_by: 'database login', at: null },
  ]);
  expect(await longhaul(env, ['audit', 'verify'])).toMatchObject({ exitCode: 0 });
});

test('a second import, also two at once, adds nothing', async () => {
  const database = await readGrytDatabase(join(clone, 'gryt.db'));
  const again = (digest: string): Promise<unknown> =>
    withLedger(ledger.logins.writer, (writer) =>
      importGryt(
        writer,
        { ...database, digest },
        { repository: 'local/org/one', commitOf: () => commit, actor: 'ada' },
      ),
    );
  expect(await again(database.digest)).toMatchObject({ generations: 0, left: [{ why: 'it was imported before' }] });
  const both = await Promise.all([again('other'), again('other')]);
  expect(both).toContainEqual(expect.objectContaining({ generations: 1, evolutions: 1, events: 1 }));
  expect(both).toContainEqual(expect.objectContaining({ generations: 0, left: [expect.anything()] }));
  expect(await ledger.sql('SELECT count(*)::int FROM evolutions')).toEqual([{ count: 5 }]);
});

test('another file is refused by name', async () => {
  const file = join(clone, 'notes.txt');
  await writeFile(file, 'not a database, but long enough to be read as one'.repeat(40));
  for (const wrong of [file, join(clone, 'missing.db'), clone]) {
    await expect(readGrytDatabase(wrong)).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining(`${wrong} is not a gryt database`),
    });
  }
});
