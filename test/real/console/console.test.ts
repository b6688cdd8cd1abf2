import { readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { RunPipelineResult } from '../../../domain/release/flows/pipeline-flows.ts';
import { sourceOf } from '../../support/catalog/flows.ts';
import { startWorkerHere, type WorkerHere } from '../../support/catalog/worker-here.ts';
import { commandEnv, longhaul } from '../../support/command.ts';
import { faultsOf, HOSTILE, picture, tabTo, watchedPage } from '../../support/console.ts';
import { openBrowser } from '../../support/browser.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';
import { NAMESPACE } from '../../support/namespace.ts';

const UI = 'http://temporal.example/ui';
const LOG_LINES = 20_000;

let estate: Estate;
let worker: WorkerHere;
let ledger: TestLedger;
let gateway: GatewayProcess;
let browser: Browser;
let client: Client;
let connection: Connection;
/** A run that waits for an answer. */
let asking: string;

beforeAll(async () => {
  estate = await createEstate();
  await estate.create('acme/api', { 'lanes.ts': sourceOf('workflows/shared/lanes.ts') });
  worker = await startWorkerHere(estate);
  await longhaul(commandEnv(estate), ['index', 'add', '--pattern', 'acme/api', '--yes']);
  await estate.create('acme/web', { 'input.ts': sourceOf('workflows/shared/input.ts') });
  ledger = await createTestLedger();
  await fill(ledger);
  const given = JSON.parse(readFileSync(estate.configPath, 'utf8')) as object;
  writeFileSync(estate.configPath, JSON.stringify({ ...given, temporal: { uiUrl: `${UI}/` } }));
  gateway = await startGatewayProcess(estate, {}, { DATABASE_READER_URL: ledger.logins.reader });
  browser = await openBrowser();
  connection = await Connection.connect({ address: inject('stack').temporalAddress });
  client = new Client({ connection, namespace: NAMESPACE });
  asking = (await startFlow(client, 'onboardRepositories', { patterns: ['acme/web'], confirm: true })).workflowId;
});

afterAll(async () => {
  await browser?.close();
  const { exitCode } = await gateway.stop();
  await client.workflow
    .getHandle(asking)
    .terminate()
    .catch(() => undefined);
  await connection.close();
  await worker.stop();
  await ledger.dispose();
  await estate.dispose();
  expect(exitCode).toBe(0);
});

/**
 * A generation with 1,000 changes and 5,000 evolutions; a small one whose texts are hostile, as are those of three runs
 * of pipelines, a job with a short log, and a deployment; and a job with a long log.
 */
async function fill({ sql }: TestLedger): Promise<void> {
  const { config, dataDir, cacheDir } = loadConfig({ path: estate.configPath, env: commandEnv(estate) });
  const blobs = await openBlobs({ config, dataDir, cacheDir }, {});
  const stored = async (text: string): Promise<string> => {
    const { digest } = await blobs.put(Readable.from([Buffer.from(text)]));
    return digest;
  };
  const long = Array.from({ length: LOG_LINES }, (_, at) => `\u{1b}[32mline ${at}\u{1b}[0m of the log\n`).join('');
  const generations: readonly (readonly [
    id: string,
    repository: string,
    text: string,
    changes: number,
    rcs: number,
  ])[] = [
    ['gen-large1', 'local/acme/api', 'a change', 1_000, 5_000],
    ['gen-small1', HOSTILE, HOSTILE, 2, 4],
  ];
  for (const [id, repository, text, changes, rcs] of generations) {
    await sql(
      `INSERT INTO generations (generation_id, repository, version, contract, contract_digest, created_by, description)
       VALUES ($1, $2, 'v1.5.0', '{}', 'd', $3, $3)`,
      [id, repository, text],
    );
    await sql(
      `INSERT INTO generation_changes (generation_id, change_id, position, type, title, team, status)
       SELECT $1, 'FEAT-' || n, n, 'add', $2, $2, CASE WHEN n % 2 = 0 THEN 'proven' ELSE 'pending' END
       FROM generate_series(1, $3::int) n`,
      [id, text, changes],
    );
    await sql(
      `INSERT INTO evolutions (evolution_id, generation_id, change_id, rc, tag, status, pipeline, commit, team, created_by,
         completed_at)
       SELECT $1 || n, $1, 'FEAT-' || (1 + n % $3::int), n, 'v1.5.0-rc.' || n,
         CASE WHEN n % 5 = 0 AND n < 2500 THEN 'fail' ELSE 'pass' END, $2, md5(n::text), $2, $2, now()
       FROM generate_series(1, $4::int) n`,
      [id, text, changes, rcs],
    );
  }
  await sql(
    `INSERT INTO pipeline_runs (pipeline_run_id, repository, pipeline, pipeline_digest, commit, tree, branch, event,
       status, workflow_id, created_by, started_at, completed_at)
     SELECT 'run-' || n, $1, $1, 'd', md5(n::text), 't', $1, 'person', 'fail', $1, $1, now(), now()
     FROM generate_series(1, 3) n`,
    [HOSTILE],
  );
  const steps = JSON.stringify([{ name: HOSTILE, exitCode: 1, durationMs: 3_100, commandDigest: HOSTILE }]);
  await sql(
    `INSERT INTO pipeline_jobs (pipeline_run_id, job, status, exit_code, duration, log_blob, steps)
     VALUES ('run-1', $1, 'fail', 1, 61.5, $2, $3), ('run-1', 'long', 'fail', 1, 61.5, $4, '[]')`,
    [HOSTILE, await stored(HOSTILE), steps, await stored(long)],
  );
  const result: RunPipelineResult = {
    run: 'run-1',
    status: 'failed',
    repository: HOSTILE,
    pipeline: HOSTILE,
    commit: 'c0ffee'.repeat(7).slice(0, 40),
    tree: 't',
    plan: 'p',
    sandbox: 'bubblewrap',
    jobs: [],
    quality: { rules: [], exceptions: [HOSTILE], waived: null },
  };
  await sql(
    "INSERT INTO evidence (digest, kind, subject, repository, blob) VALUES ($1, 'result', 'pipeline run run-1', $2, $1)",
    [await stored(JSON.stringify(result)), HOSTILE],
  );
  await sql(
    `INSERT INTO deployments (deployment_id, repository, environment, version, commit, packed, contracts, services,
       goes_back, context, namespace, status, diff_blob, why, workflow_id, created_by, started_at, ended_at,
       reason, passed_over, override_freeze, approved_by)
     VALUES ($1, $2, $2, $2, md5('a') || 'c0ffee00', '{}', repeat('a', 64), $3, false, $2, $2, 'undone', $4, $2, $2, $2,
       now(), now() + interval '75 seconds', $2, $3, 'the shop is down', '["bob: it is"]')`,
    [DEPLOYMENT, HOSTILE, JSON.stringify([HOSTILE]), await stored(`- image: ${HOSTILE}\n+ image: app:2\n`)],
  );
  await sql(
    `INSERT INTO deployment_objects (deployment_id, position, service, api_version, kind, context, namespace, name, change,
       sealed, state, kept)
     VALUES ($1, 0, $2, 'v1', 'ConfigMap', $2, $2, $2, 'update', '', 'undone', $3)`,
    [DEPLOYMENT, HOSTILE, JSON.stringify([{ path: HOSTILE }])],
  );
  await sql(
    `INSERT INTO deployment_samples (deployment_id, sequence, taken_at, sample, verdict, why)
     SELECT $1, n, now(), jsonb_build_object('what', 'errors', 'value', n / 100.0, 'requests', 40),
       CASE WHEN n < 6 THEN 'good' ELSE 'bad' END, $2
     FROM generate_series(1, 8) n`,
    [DEPLOYMENT, HOSTILE],
  );
}

/** The id of a deployment. */
const DEPLOYMENT = '3f2a91c0-0000-4000-8000-000000000001';

const PAGES = [
  '/console/inbox',
  '/console/runs',
  '/console/runs?show=ended&children=1',
  '/console/runs?show=failed',
  '/console/fleet',
  '/console/search',
  '/console/search?q=run+in+bounded+lanes',
  `/console/search?${new URLSearchParams({ q: HOSTILE, repo: HOSTILE, lang: HOSTILE, branch: 'none' }).toString()}`,
  '/console/releases',
  '/console/releases/generations/gen-small1',
  '/console/releases/runs',
  '/console/releases/runs/run-1',
  `/console/releases/runs/run-1/log?${new URLSearchParams({ job: HOSTILE, attempt: '1' }).toString()}`,
  '/console/releases/deployments',
  `/console/releases/deployments/${DEPLOYMENT}`,
  '/console/there-is-no-such-page',
];

test('every page has no fault on any screen, asks no other host and runs no script of a text', async () => {
  const { page, context, complaints } = await watchedPage(browser, gateway.url);
  const found: Record<string, string[]> = {};
  for (const path of [...PAGES, `/console/runs/${encodeURIComponent(asking)}`]) {
    await page.goto(gateway.url + path);
    const faults = await faultsOf(page);
    if (faults.length > 0) found[path] = faults;
  }
  expect({ found, complaints }).toEqual({ found: {}, complaints: [] });
  await context.close();
});

describe('what the pages show', () => {
  const text = async (path: string): Promise<string> => {
    const { page, context } = await watchedPage(browser, gateway.url, { javaScriptEnabled: false });
    await page.goto(gateway.url + path);
    const shown = await page.locator('main').innerText();
    await context.close();
    return shown;
  };

  test('a run with its question and the link to its history', async () => {
    const { page, context } = await watchedPage(browser, gateway.url, { viewport: { width: 1280, height: 480 } });
    await page.goto(`${gateway.url}/console/runs`);
    const row = page.getByRole('row', { name: asking });
    await expect.poll(() => row.innerText()).toContain('Matched 1 repository. Proceed with initial indexing?');
    expect(await row.getByRole('link', { name: 'History' }).getAttribute('href')).toMatch(
      new RegExp(`^${UI}/namespaces/${NAMESPACE}/workflows/${encodeURIComponent(asking)}/[0-9a-f-]+/history$`),
    );
    await picture(page, 'console-runs');
    await context.close();
  });

  test('the fleet and a search, as the command line has them', async () => {
    expect(await text('/console/fleet')).toContain('local/acme/api');
    const found = await longhaul(commandEnv(estate), ['search', 'run in bounded lanes', '--limit', '20', '--json']);
    const { results } = JSON.parse(found.stdout) as { results: { repo: string; path: string }[] };
    const shown = await text('/console/search?q=run+in+bounded+lanes');
    expect(shown).toContain(`${results.length} result`);
    for (const { repo, path } of results) expect(shown).toContain(`${repo} ${path}:`);
    expect(await text('/console/search?q=lanes&repo=nothing/*')).toContain('No indexed repository matches nothing/*');
  });

  test('a generation in pages of 100, and which failures are superseded', async () => {
    const [counted] = await ledger.sql<{ superseded: number }>(
      `SELECT count(*)::int AS superseded FROM evolutions f WHERE status = 'fail' AND rc > 2400 AND EXISTS
         (SELECT FROM evolutions p WHERE p.change_id = f.change_id AND p.status = 'pass' AND p.rc > f.rc)`,
    );
    const first = await text('/console/releases/generations/gen-large1');
    expect(first).toContain('500 of 1,000 proven');
    expect(first.match(/FEAT-\d+\s+a change/g)).toHaveLength(100);
    expect(first).toContain('v1.5.0-rc.5000');
    const failing = await text('/console/releases/generations/gen-large1?evolutions=26');
    expect(failing).toContain('v1.5.0-rc.2500');
    expect(failing.match(/superseded by v1\.5\.0-rc\.\d+/g)).toHaveLength(counted?.superseded ?? 0);
    expect(await text('/console/releases/generations/gen-large1?changes=10')).not.toContain('FEAT-900\t');
  });

  test('the end of a log, and the whole of it as a file', async () => {
    const path = '/console/releases/runs/run-1/log?job=long&attempt=1';
    const shown = await text(path);
    expect(shown).toContain(`line ${LOG_LINES - 1} of the log\n`);
    expect(shown).not.toContain('line 0 of the log');
    expect(shown).toMatch(/The first [\d,]+ bytes are not shown/);
    const whole = await fetch(`${gateway.url}${path}&whole=1`);
    expect(whole.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(whole.headers.get('content-disposition')).toMatch(/^attachment; filename="[0-9a-f]{12}\.log"$/);
    expect((await whole.text()).split('\n')).toHaveLength(LOG_LINES + 1);
  });

  test('a deployment with its samples, and its report as one file, without markup of others', async () => {
    expect(await text('/console/releases/deployments')).toContain('3f2a91c0');
    const path = `/console/releases/deployments/${DEPLOYMENT}`;
    const shown = await text(path);
    expect(shown).toContain('the first bad sample');
    expect(shown).toContain('Fields that others changed meanwhile');
    for (const said of ['during a freeze, because: the shop is down', 'approved by bob: it is']) {
      expect(shown).toContain(said);
    }
    expect(shown).toMatch(/Took\s+1 min/);
    expect(shown).toContain('Failed requests');
    const report = await fetch(`${gateway.url}${path}?report=1`);
    expect(report.headers.get('content-disposition')).toBe(`attachment; filename="deployment-${DEPLOYMENT}.html"`);
    const content = await report.text();
    expect(content).toContain('+ image: app:2');
    // eight samples, three of them bad
    expect(content.match(/<rect class="good"/g)).toHaveLength(5);
    expect(content.match(/<rect class="bad"/g)).toHaveLength(3);
    expect(content).not.toContain(HOSTILE);
    expect(await text('/console/releases/deployments/3f2a91c1')).toContain('There is nothing at this path');
  });

  test('the report of a recorded run as one file, without markup of others', async () => {
    expect(await text('/console/releases/runs/run-1')).toContain('Download the report, one HTML file');
    const report = await fetch(`${gateway.url}/console/releases/runs/run-1?report=1`);
    expect(report.headers.get('content-disposition')).toBe('attachment; filename="run-run-1.html"');
    const content = await report.text();
    expect(content).toContain('Exceptions from the rules');
    expect(content).toContain('c0ffeec0ffee');
    expect(content).not.toContain(HOSTILE);
    // without a result there is only the page
    const none = await fetch(`${gateway.url}/console/releases/runs/run-2?report=1`);
    expect(none.headers.get('content-disposition')).toBeNull();
  });
});

test('without scripts, and by keyboard alone, a person gets to the results of a search', async () => {
  const { page, context } = await watchedPage(browser, gateway.url, { javaScriptEnabled: false });
  await page.goto(gateway.url);
  expect(new URL(page.url()).pathname).toBe('/console/inbox');
  await page.keyboard.press('Tab');
  expect(await page.locator(':focus').innerText()).toBe('Skip to the content');
  await tabTo(page, 'Search');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/console/search');
  await tabTo(page, 'Search for');
  await page.keyboard.type('run in bounded lanes');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'lanes.ts' }).first().waitFor();
  await context.close();
});

test('a live page shows an answer that another program gave, and keeps the focus', async () => {
  const { page, context, complaints } = await watchedPage(browser, gateway.url);
  await page.goto(`${gateway.url}/console/runs/${encodeURIComponent(asking)}`);
  await page.getByText('Live').waitFor();
  await page.getByRole('heading', { name: 'Waits for an answer' }).waitFor();
  await page.getByRole('link', { name: 'History' }).focus();
  await client.workflow.getHandle(asking).executeUpdate('confirm', { args: [{ proceed: true }] });
  await page.getByText('completed').waitFor();
  expect(await page.locator(':focus').innerText()).toContain('History');
  expect(complaints).toEqual([]);
  await context.close();
});

describe('who may see the console', () => {
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${gateway.url}/console/runs`, { headers })).status;

  test('without people, a browser on this machine that no proxy stands in for', async () => {
    expect(await ask({})).toBe(200);
    expect(await ask({ 'x-forwarded-for': '127.0.0.1' })).toBe(403);
    const page = await (await fetch(`${gateway.url}/console/runs`)).text();
    expect(page).toContain('tester, unauthenticated');
  });

  test('the policy of contents has no exception, and pages are not stored', async () => {
    const { headers } = await fetch(`${gateway.url}/console/runs`);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});
