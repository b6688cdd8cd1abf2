import { execFileSync } from 'node:child_process';
import { execa } from 'execa';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type AuditEvent, recordEvent } from '../../../activities/ledger/audit.ts';
import { type LedgerDatabase, openLedger } from '../../../activities/ledger/open-ledger.ts';
import { commandEnv, longhaul } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { createTestLedger, rowsOf, type TestLedger } from '../../support/ledger.ts';

const EVENTS = 40;

let estate: Estate;
let ledger: TestLedger;
let writer: LedgerDatabase;
let env: Record<string, string>;
beforeAll(async () => {
  estate = await createEstate();
  ledger = await createTestLedger();
  writer = openLedger(ledger.logins.writer);
  env = commandEnv(estate, { DATABASE_URL: ledger.logins.owner });
  // appended concurrently
  await Promise.all(Array.from({ length: EVENTS - 1 }, (_, at) => append({ resource_id: `v1.0.${at}` })));
});
afterAll(async () => {
  await writer.destroy();
  await ledger.dispose();
  await estate.dispose();
});

function append(change: Partial<AuditEvent> = {}): Promise<{ event_id: number; hash: string }> {
  return writer.transaction().execute((trx) =>
    recordEvent(trx, {
      event_type: 'generation.promoted',
      repository: 'local/org/one',
      resource_type: 'generation',
      resource_id: 'v1.0.0',
      action: 'promote',
      status: 'success',
      actor: 'ada',
      authenticated_by: 'api-key',
      ...change,
    }),
  );
}

const verified = async (): Promise<{
  events: number;
  anchors: number;
  finding: { event_id: number; problem: string } | null;
}> => JSON.parse((await longhaul(env, ['audit', 'verify', '--json'])).stdout) as never;

test('events that are appended at the same time make one chain, without gaps', async () => {
  expect(await verified()).toEqual({ events: EVENTS, anchors: 0, finding: null });
  const { exitCode, stdout } = await longhaul(env, ['audit', 'verify']);
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: `${EVENTS} events are as they were written; there is no anchor outside the database.\n`,
  });
});

test('the hashes are SHA-256 of canonical JSON, as Python computes them', async () => {
  await append({
    why: 'weil "ä" \\u0000 \n\u{1f680}',
    details: { b: [1, -0, 1e21, 0.1, true, null], a: { é: '€', z: '' } },
  });
  const columns = `event_type, repository, resource_type, resource_id, action, status, actor, authenticated_by, why, workflow_id,
    run_id, contract_digest, details_json, previous_hash`;
  const rows = await ledger.sql(`
    SELECT hash, (SELECT json_build_object('content', to_json(content)) FROM (SELECT ${columns},
      to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp) content) AS event
    FROM audit_events ORDER BY event_id`);
  const program = `
import hashlib, json, sys
for row in json.load(sys.stdin):
    # JCS writes numbers as JavaScript does
    text = json.dumps(row['event']['content'], sort_keys=True, ensure_ascii=False, separators=(',', ':'))
    text = text.replace('1000000000000000000000', '1e+21')
    print(hashlib.sha256(text.encode()).hexdigest() == row['hash'])
`;
  const said = execFileSync('python3', ['-c', program], { input: JSON.stringify(rows), encoding: 'utf8' });
  expect(said.trim().split('\n')).toEqual(Array<string>(EVENTS + 1).fill('True'));
});

test('text that PostgreSQL cannot store is replaced, and verifies', async () => {
  const { event_id } = await append({ why: 'a\0b\ud800c\\u0000', details: { 'k\0': 'v\udfff' } });
  expect(await ledger.sql('SELECT why, details_json FROM audit_events WHERE event_id = $1', [event_id])).toEqual([
    { why: 'a\ufffdb\ufffdc\\u0000', details_json: { 'k\ufffd': 'v\ufffd' } },
  ]);
  expect(await verified()).toMatchObject({ events: event_id, finding: null });
});

test('an act that is rolled back leaves no event', async () => {
  const before = await verified();
  const act = writer.transaction().execute(async (trx) => {
    await recordEvent(trx, {
      event_type: 'x',
      resource_type: 'x',
      resource_id: 'x',
      action: 'x',
      status: 'success',
      actor: 'x',
      authenticated_by: 'x',
    });
    throw new Error('the act fails');
  });
  await expect(act).rejects.toThrow('the act fails');
  expect(await verified()).toEqual(before);
});

describe('tampering by someone who may change every row', () => {
  beforeAll(async () => {
    // the copy that each test restores
    await ledger.sql('CREATE TABLE backup AS SELECT * FROM audit_events');
    await ledger.sql('CREATE TABLE backup_end AS SELECT * FROM ledger');
  });
  afterEach(async () => {
    await ledger.sql('DELETE FROM audit_events');
    await ledger.sql('INSERT INTO audit_events SELECT * FROM backup');
    await ledger.sql('UPDATE ledger SET (event_id, hash) = (SELECT event_id, hash FROM backup_end)');
    await rm(join(estate.dataDir, 'blobs'), { recursive: true, force: true });
  });

  const found = async (): Promise<string> => {
    const { exitCode, stdout } = await longhaul(env, ['audit', 'verify', '--json']);
    expect(exitCode).toBe(7);
    const { finding } = JSON.parse(stdout) as Awaited<ReturnType<typeof verified>>;
    return `${finding?.event_id} ${finding?.problem}`;
  };

  test.each(['actor', 'status', 'timestamp', 'details_json'])('a changed %s is found', async (column) => {
    const value =
      { details_json: `'{"a": 1}'`, timestamp: `timestamp + interval '1 microsecond'`, status: `'refused'` }[column] ??
      `'eve'`;
    await ledger.sql(`UPDATE audit_events SET ${column} = ${value} WHERE event_id = 17`);
    expect(await found()).toBe('17 changed');
  });

  test('a removed event is found, also when the others close the gap', async () => {
    await ledger.sql('DELETE FROM audit_events WHERE event_id = 17');
    expect(await longhaul(env, ['audit', 'verify'])).toMatchObject({
      exitCode: 7,
      stdout: '',
      stderr: expect.stringMatching(/^longhaul: Event 17 was removed\.\n/),
    });
    expect(await found()).toBe('17 removed');
    await ledger.sql(`DO $$ BEGIN FOR at IN 18..(SELECT max(event_id) FROM audit_events) LOOP
      UPDATE audit_events SET event_id = at - 1 WHERE event_id = at; END LOOP; END $$`);
    expect(await found()).toBe('17 removed');
  });

  test('two events that changed places are found', async () => {
    await ledger.sql(`UPDATE audit_events SET event_id = 1000000 WHERE event_id = 17`);
    await ledger.sql(`UPDATE audit_events SET event_id = 17 WHERE event_id = 25`);
    await ledger.sql(`UPDATE audit_events SET event_id = 25 WHERE event_id = 1000000`);
    expect(await found()).toBe('17 moved');
  });

  test('the last ten are missed, also when the recorded end is made to fit', async () => {
    const { events } = await verified();
    expect((await longhaul(env, ['audit', 'anchor'])).exitCode).toBe(0);
    await ledger.sql('DELETE FROM audit_events WHERE event_id > $1', [events - 10]);
    expect(await found()).toBe(`${events - 9} cut off`);
    await ledger.sql(
      'UPDATE ledger SET (event_id, hash) = (SELECT event_id, hash FROM audit_events ORDER BY event_id DESC LIMIT 1)',
    );
    expect(await found()).toBe(`${events - 9} cut off`);
    await rm(join(estate.dataDir, 'blobs'), { recursive: true });
    expect(await verified()).toMatchObject({ events: events - 10, anchors: 0, finding: null });
  });

  test('the last ten are missed by the final tags of a clone, when nothing else is left', async () => {
    const { events } = await verified();
    const clone = join(estate.dataDir, 'clone');
    const git = (...args: string[]) =>
      execa('git', ['-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
    await execa('git', ['init', '--quiet', clone]);
    await git('commit', '--quiet', '--allow-empty', '--message', 'one');
    const [end] = await rowsOf<{ event_id: number; hash: string }>(
      ledger.logins.reader,
      'SELECT event_id, hash FROM ledger',
    );
    const line = `Longhaul-Audit: ${end?.event_id} ${end?.hash}`;
    await git('tag', 'light');
    await git('tag', '--annotate', 'v1.0.0', '--message', 'v1.0.0: the first');
    await git('tag', '--annotate', 'v1.1.0', '--message', `v1.1.0: the second\n\n${line}`);
    const verify = () => longhaul(env, ['audit', 'verify', '--tags', clone]);
    expect((await verify()).stdout).toBe(`${events} events are as they were written; one anchor agrees.\n`);
    await ledger.sql('DELETE FROM audit_events WHERE event_id > $1', [events - 10]);
    await ledger.sql(
      'UPDATE ledger SET (event_id, hash) = (SELECT event_id, hash FROM audit_events ORDER BY event_id DESC LIMIT 1)',
    );
    expect(await verified()).toMatchObject({ events: events - 10, anchors: 0, finding: null });
    const { exitCode, stderr } = await verify();
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(`Event ${events - 9} was cut off at the end`);
    expect(stderr).toContain('the anchor tag v1.1.0 names event');
    expect((await longhaul(env, ['audit', 'verify', '--tags', estate.dataDir])).exitCode).toBe(2);
  });

  test('an old copy that was restored is found, before and after new events', async () => {
    const { events } = await verified();
    await append();
    await append();
    await longhaul(env, ['audit', 'anchor']);
    const restore = async (): Promise<void> => {
      await ledger.sql('DELETE FROM audit_events');
      await ledger.sql('INSERT INTO audit_events SELECT * FROM backup');
      await ledger.sql('UPDATE ledger SET (event_id, hash) = (SELECT event_id, hash FROM backup_end)');
    };
    await restore();
    expect(await found()).toBe(`${events + 1} cut off`);
    await append({ actor: 'eve' });
    await append({ actor: 'eve' });
    await append({ actor: 'eve' });
    expect(await found()).toBe(`${events + 2} replaced`);
  });

  test('an event that was rewritten with its hash is found at the next one', async () => {
    await ledger.sql(`UPDATE audit_events SET actor = 'eve', hash = repeat('0', 64) WHERE event_id = 17`);
    expect(await found()).toBe('17 changed');
    await ledger.sql(`UPDATE audit_events SET previous_hash = repeat('1', 64) WHERE event_id = 1`);
    expect(await found()).toBe('1 changed');
  });
});

test('an anchor is written once for an end; a reader of one repository sees its events only', async () => {
  const { events } = await verified();
  const first = await longhaul(env, ['audit', 'anchor']);
  expect(await longhaul(env, ['audit', 'anchor'])).toEqual(first);
  expect(await verified()).toEqual({ events, anchors: 1, finding: null });
  expect((await longhaul(env, ['audit', 'verify'])).stdout).toContain('one anchor agrees');
  const [own] = await rowsOf<{ count: number }>(
    ledger.logins.reader,
    "SELECT count(*)::int FROM (SELECT set_config('longhaul.repository', 'local/org/one', false)) s, audit_events",
  );
  // all but the migration
  expect(own?.count).toBe(events - 1);
  const { stdout } = await longhaul(env, [
    'db',
    'query',
    'SELECT count(*) FROM audit_events',
    '--repo',
    'local/org/two',
    '--csv',
  ]);
  expect(stdout).toBe('count\r\n0\r\n');
});
