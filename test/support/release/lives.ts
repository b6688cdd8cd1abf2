import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type Connection, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { expect, vi } from 'vitest';
import { openGates } from '../../../activities/gates/read-gates.ts';
import { type LedgerDatabase, openLedger } from '../../../activities/ledger/open-ledger.ts';
import { decideGate, wakeDecided } from '../../../client/core/decide-gate.ts';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { startEvolutionFlow } from '../../../domain/release/flows/evolution-flows.ts';
import { createHotfixFlow } from '../../../domain/release/flows/hotfix-flow.ts';
import { promoteGenerationFlow } from '../../../domain/release/flows/promotion-flows.ts';
import { withdrawGenerationFlow } from '../../../domain/release/flows/withdrawal-flow.ts';
import { markedProcesses } from '../../../platform/marked-processes.ts';
import { type Boundary, type DoomedWorker, inTime, startDoomedWorker } from '../doomed-process.ts';
import { createEstate, type Estate } from '../estate.ts';
import { impatientStarts, openNamespace } from '../impatient.ts';
import { createTestLedger, type TestLedger } from '../ledger.ts';
import { git } from '../scratch-git.ts';
import { REPOSITORY } from './releases.ts';
import { commit, generation, write } from './work.ts';

/**
 * The life of a release: a failed attempt, a proof that supersedes it, the promotion, which waits for its soak time and a
 * person and publishes a file, a hotfix, and the withdrawal of that.
 */
export const STAGES = ['refute', 'prove', 'promote', 'hotfix', 'release hotfix', 'withdraw'] as const;
/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** A process that is killed when the work reaches a boundary. */
export interface Kill extends Boundary {
  /** The id of the process; it is started again by others. @default the worker itself, which a new one replaces */
  readonly victim?: () => number;
}

/** Where processes are killed in one life: at most once per stage. */
export type Scenario = Partial<Record<Stage, Kill>>;

/** Servers of a lane, and a folder for its files. */
export interface LanePlace {
  readonly connection: Connection;
  readonly temporalAddress: string;
  /** The login of PostgreSQL's superuser. */
  readonly superuserUrl: string;
  readonly folder: string;
  /** The flows of `impatientBundle`. */
  readonly bundle: string;
}

/** A repository, its ledger and a worker, for one scenario after another. */
export interface Lane {
  readonly name: string;
  readonly estate: Estate;
  readonly ledger: TestLedger;
  /** With the login that records decisions. */
  readonly decisions: LedgerDatabase;
  readonly env: NodeJS.ProcessEnv;
  readonly clone: string;
  readonly remote: string;
  readonly client: Client;
  readonly started: [string, string][];
  worker: DoomedWorker;
  /** Scenarios so far. */
  count: number;
}

/** A release of a scenario, and its commits. */
interface Life {
  readonly version: string;
  readonly patch: string;
  readonly broken: string;
  readonly proven: string;
  readonly released: string;
  /** Of the hotfix, once it is made. */
  fix: string;
}

/**
 * The soak time of a release. A promotion must reach it before it is over, also on a busy machine: otherwise it would pass
 * other boundaries than the undisturbed one.
 */
const SOAK_SECONDS = 20;

/** The file of a release, and its SHA-256. */
const README = 'an api\n';
const README_DIGEST = createHash('sha256').update(README).digest('hex');

/** A new lane. Its name is a part of its namespace. */
export async function openLane(
  name: string,
  { connection, temporalAddress, superuserUrl, folder, bundle }: LanePlace,
): Promise<Lane> {
  const namespace = `lives-${name}`;
  const at = (part: string): string => join(folder, name, part);
  await openNamespace(connection, namespace);
  const [estate, ledger] = await Promise.all([
    createEstate({ indexName: 'Unused' }),
    createTestLedger({ superuserUrl }),
  ]);
  await estate.create('acme/api', {
    'README.md': README,
    '.longhaul/policy.yaml': `policies: [{name: scan-always, required_steps: [security-scan]}]
promotion: {soak: ${SOAK_SECONDS}s, approvals: {needed: 1, from: [managers]}, assets: [dist/api.txt]}
`,
    '.longhaul/pipelines/full-ci.yaml': `name: full-ci
env: {SWEEP: ${name}}
jobs:
  unit: {steps: [{name: unit, command: 'test ! -e broken'}]}
  scan:
    needs: [unit]
    artifacts: [dist]
    steps: [{name: security-scan, command: 'mkdir dist && cp README.md dist/api.txt'}]
`,
  });
  const remote = estate.gitDir('acme/api');
  const clone = at('clone');
  await mkdir(at('scratch'), { recursive: true });
  git(folder, 'clone', '--quiet', remote, clone);
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    TMPDIR: at('scratch'),
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    DATABASE_WRITER_URL: ledger.logins.writer,
    LONGHAUL_CONFIG: estate.configPath,
    LONGHAUL_CACHE_DIR: at('cache'),
    DOOMED_BUNDLE: bundle,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(folder, 'compiled'),
  };
  const started: [string, string][] = [];
  const client = new Client({ connection, namespace, interceptors: { workflow: [impatientStarts(started)] } });
  const worker = await startDoomedWorker(env, 'release');
  const decisions = openLedger(ledger.logins.gates);
  return { name, estate, ledger, decisions, env, clone, remote, client, started, worker, count: 0 };
}

/** Runs the life of a release, with kills; checks what git and the ledger have after each stage. */
export async function liveThrough(
  lane: Lane,
  scenario: Scenario,
  onStage: (stage: Stage) => Promise<void>,
): Promise<void> {
  const life = beginLife(lane);
  for (const stage of STAGES) {
    if (stage === 'release hotfix') await proveFix(lane, life);
    try {
      await inTime(runStage(lane, life, stage, scenario[stage] ?? null));
      await onStage(stage);
    } catch (error) {
      const { message, actual = '' } = error as Error & { readonly actual?: unknown };
      throw new Error(`${stage}: ${message} ${JSON.stringify(actual)}`, { cause: error });
    }
  }
}

/** Commits of a new version. Versions go down, so that each is the first release of its line. */
function beginLife(lane: Lane): Life {
  const { clone } = lane;
  const major = 999 - lane.count++;
  const version = `v${major}.0.0`;
  const before = `.longhaul/generations/v${major + 1}.0.0.yaml`;
  git(clone, 'checkout', '--quiet', 'main');
  git(clone, 'rm', '--quiet', '--ignore-unmatch', before);
  write(clone, { [`.longhaul/generations/${version}.yaml`]: generation(version, ['FEAT-1']), broken: '' });
  const broken = commit(clone, 'feat: a change [FEAT-1]');
  git(clone, 'rm', '--quiet', 'broken');
  const proven = commit(clone, 'fix: the change [FEAT-1]');
  write(clone, { more: version });
  const released = commit(clone, 'docs: more');
  git(clone, 'push', '--quiet', 'origin', 'main');
  return { version, patch: `v${major}.0.1`, broken, proven, released, fix: '' };
}

/** Runs a stage in which something is killed, lets another worker finish it if need be, and checks the result. */
async function runStage(lane: Lane, life: Life, stage: Stage, kill: Kill | null): Promise<void> {
  const victim = kill?.victim?.();
  // the soak time begins now, however long the proof is ago
  if (stage === 'promote') await lane.ledger.sql("UPDATE evolutions SET completed_at = now() WHERE status = 'pass'");
  await lane.worker.arm(kill && { kind: kill.kind, nth: kill.nth }, victim);
  const ended = startStage(lane, life, stage);
  ended.catch(() => undefined);
  const approving = approveGates(lane, ended);
  if (kill && victim === undefined) {
    const first = await Promise.race([lane.worker.ended, ended.then(() => null)]);
    if (first !== 'SIGKILL') {
      throw new Error(`${kill.kind} ${kill.nth} was ${first === null ? 'never reached' : `followed by ${first}`}`);
    }
    lane.worker = await startDoomedWorker(lane.env, 'release');
  }
  await approving;
  expect(await ended).toBe(stage === 'refute' ? 'PipelineFailed' : 'completed');
  if (victim !== undefined) {
    await expect.poll(() => kill?.victim?.(), { message: `${kill?.kind} was never reached` }).not.toBe(victim);
    await vi.waitFor(() => lane.ledger.sql('SELECT'), { timeout: 60_000, interval: 100 });
  }
  expect(await stateOf(lane, life)).toEqual(expectedAfter(life, stage));
  const left = (): number[] =>
    [`TMPDIR=${lane.env['TMPDIR']}`, `SWEEP=${lane.name}`]
      .flatMap(markedProcesses)
      .filter((pid) => pid !== lane.worker.pid);
  await expect.poll(left).toEqual([]);
}

/** How a stage ended: `completed`, or the name of its failure. */
async function startStage({ client }: Lane, life: Life, stage: Stage): Promise<string> {
  const { version, patch, broken, proven, released } = life;
  const given = { repository: REPOSITORY, by: 'ada' };
  const evolve = (at: string) =>
    startDeclared(client, startEvolutionFlow, { ...given, version, change: 'FEAT-1', commit: at });
  const start = {
    refute: () => evolve(broken),
    prove: () => evolve(proven),
    promote: () => startDeclared(client, promoteGenerationFlow, { ...given, version, commit: released }),
    hotfix: () =>
      startDeclared(client, createHotfixFlow, { ...given, base: version, issue: 'CRIT-1', title: 'a leak' }),
    'release hotfix': () => startDeclared(client, promoteGenerationFlow, { ...given, version: patch, kind: 'hotfix' }),
    withdraw: () =>
      startDeclared(client, withdrawGenerationFlow, { ...given, version: patch, why: 'it leaks', tag: 'remove' }),
  }[stage];
  const flow = await start();
  const result = async (): Promise<unknown> => {
    for (const until = Date.now() + OUTAGE_MS; ; await pause(500)) {
      try {
        return await flow.result();
      } catch (error) {
        // the client gives up before a server that was killed is there again
        if (!(error instanceof ServiceError) || Date.now() > until) throw error;
      }
    }
  };
  return nameOfEnd({ result });
}

/** Longest time until a server that was killed is there again. */
const OUTAGE_MS = 60_000;

/** Approves all gates, as a person does who does not give up, until the work has ended. */
async function approveGates({ decisions, client }: Lane, ended: Promise<unknown>): Promise<void> {
  const end = ended.then(
    () => true,
    () => true,
  );
  const owner = { name: 'owner', authenticatedBy: 'unauthenticated' } as const;
  const desk = { ledger: decisions, client, directory: null };
  do {
    try {
      for (const { id, digest, workflowId, decisions: made } of await openGates(decisions, null)) {
        // not before the flow has read the gate, or how often it does that would depend on who is faster
        const { memo } = await client.workflow.getHandle(workflowId).describe();
        const { id: shown } = (memo?.['gate'] ?? {}) as { readonly id?: string };
        if (shown !== id || made.length > 0) continue;
        await decideGate(desk, owner, { gate: id, verdict: 'approve', why: 'looked at it', digest });
      }
      // a server may have been killed before it woke the flow
      await wakeDecided(desk);
    } catch {
      // a server was killed
    }
  } while (!(await Promise.race([end, pause(200, false)])));
}

async function nameOfEnd({ result }: { result(): Promise<unknown> }): Promise<string> {
  for (;;) {
    try {
      await result();
      return 'completed';
    } catch (error) {
      // the server was killed
      if (!isGrpcServiceError(error)) return (error as { cause?: { type?: string } }).cause?.type ?? String(error);
      await pause(200);
    }
  }
}

/** Commits the fix on the branch of the hotfix, and proves it without a kill. */
async function proveFix({ clone, client, worker }: Lane, life: Life): Promise<void> {
  const { patch } = life;
  git(clone, 'fetch', '--quiet', 'origin');
  git(clone, 'checkout', '--quiet', `hotfix/${patch}`);
  write(clone, { leak: 'fixed' });
  life.fix = commit(clone, 'fix: a leak [CRIT-1]');
  git(clone, 'push', '--quiet', 'origin', `hotfix/${patch}`);
  await worker.arm(null);
  const input = { repository: REPOSITORY, version: patch, change: 'CRIT-1', commit: life.fix, by: 'ada' };
  await (await startDeclared(client, startEvolutionFlow, input)).result();
}

/** The events that a life is compared by. */
const EVENTS = [
  'evolution.started',
  'evolution.passed',
  'evolution.failed',
  'generation.promoted',
  'generation.published',
  'generation.withdrawn',
  'hotfix.created',
];

/** What the remote and the ledger have of a life, read by git and SQL. */
async function stateOf({ remote, ledger }: Lane, { version, patch }: Life): Promise<unknown> {
  const own = new RegExp(`^refs/(?:tags/(?:${version}|${patch})(?:-rc\\.\\d+)?\\^\\{\\}|heads/.*${patch})$`);
  const refs = git(remote, 'ls-remote', '.')
    .split('\n')
    .map((line) => line.split('\t') as [string, string])
    .filter(([, ref]) => own.test(ref))
    .map(([oid, ref]) => [ref.replace('^{}', ''), oid]);
  const versions = [version, patch];
  const generations = await ledger.sql(
    'SELECT version, status, commit, hotfix_of FROM generations WHERE version = ANY($1) ORDER BY version',
    [versions],
  );
  const evolutions = await ledger.sql(
    `SELECT e.tag, e.rc, e.status, e.commit, e.superseded_by FROM evolutions e JOIN generations g USING (generation_id)
     WHERE g.version = ANY($1) ORDER BY e.tag`,
    [versions],
  );
  const events = await ledger.sql<{ event_type: string; resource_id: string; n: number }>(
    `SELECT event_type, resource_id, count(*)::int AS n FROM audit_events
     WHERE split_part(resource_id, '-', 1) = ANY($1) AND event_type = ANY($2) GROUP BY 1, 2 ORDER BY 1, 2`,
    [versions, EVENTS],
  );
  const gates = await ledger.sql(
    `SELECT subject, g.status, g.reason, (SELECT count(*)::int FROM gate_decisions d WHERE d.gate_id = g.gate_id) AS votes,
       (SELECT string_agg(event_type, ' ' ORDER BY event_id) FROM audit_events WHERE resource_id = g.gate_id) AS events
     FROM gates g WHERE split_part(subject, ' ', 1) = ANY($1) ORDER BY subject`,
    [versions],
  );
  const publications = await ledger.sql(
    `SELECT g.version, p.kind, p.name, p.status, p.digest FROM publications p JOIN generations g USING (generation_id)
     WHERE g.version = ANY($1) ORDER BY g.version`,
    [versions],
  );
  return {
    refs: Object.fromEntries(refs) as Record<string, string>,
    generations,
    evolutions,
    gates,
    publications,
    events: events.map(({ event_type: type, resource_id: id, n }) => `${type} ${id} ${n}`),
  };
}

/** What {@link stateOf} finds when a stage has ended. */
function expectedAfter({ version, patch, broken, proven, released, fix }: Life, stage: Stage): unknown {
  const hasReached = (each: Stage): boolean => STAGES.indexOf(stage) >= STAGES.indexOf(each);
  const once = <Part>(each: Stage, ...parts: Part[]): Part[] => (hasReached(each) ? parts : []);
  const isFixed = hasReached('release hotfix');
  const isWithdrawn = hasReached('withdraw');
  const gate = (of: string) => ({
    subject: `${of} of ${REPOSITORY}`,
    status: 'approved',
    reason: 'quorum',
    votes: 1,
    events: 'gate.opened gate.approval gate.approved',
  });
  const published = (of: string) => ({
    version: of,
    kind: 'asset',
    name: 'api.txt',
    status: 'kept',
    digest: README_DIGEST,
  });
  const evolution = (of: string, rc: number, at: string, more: object = {}) => ({
    tag: `${of}-rc.${rc}`,
    rc,
    status: 'pass',
    commit: at,
    superseded_by: null,
    ...more,
  });
  const superseded = { status: 'fail', superseded_by: hasReached('prove') ? `${version}-rc.2` : null };
  const draft = { status: 'draft', commit: null, hotfix_of: null };
  return {
    refs: Object.fromEntries([
      ...once('prove', [`refs/tags/${version}-rc.2`, proven]),
      ...once('promote', [`refs/tags/${version}`, released]),
      ...once('hotfix', [`refs/heads/hotfix/${patch}`, isFixed ? fix : (expect.any(String) as string)]),
      ...once(
        'release hotfix',
        [`refs/heads/longhaul/merge-${patch}`, fix],
        ...(isWithdrawn ? [] : [[`refs/tags/${patch}`, fix]]),
        [`refs/tags/${patch}-rc.1`, fix],
      ),
    ]) as Record<string, string>,
    generations: [
      { ...draft, version, ...(hasReached('promote') ? { status: 'promoted', commit: released } : {}) },
      ...once('hotfix', {
        ...draft,
        version: patch,
        hotfix_of: version,
        ...(isFixed && !isWithdrawn ? { status: 'promoted', commit: fix } : {}),
      }),
    ],
    evolutions: [
      evolution(version, 1, broken, superseded),
      ...once('prove', evolution(version, 2, proven)),
      ...once('release hotfix', evolution(patch, 1, fix)),
    ],
    gates: [...once('promote', gate(version)), ...once('release hotfix', gate(patch))],
    publications: [...once('promote', published(version)), ...once('release hotfix', published(patch))],
    events: [
      `evolution.failed ${version}-rc.1 1`,
      `evolution.started ${version}-rc.1 1`,
      ...once('prove', `evolution.passed ${version}-rc.2 1`, `evolution.started ${version}-rc.2 1`),
      ...once('promote', `generation.promoted ${version} 1`, `generation.published ${version} 1`),
      ...once('hotfix', `hotfix.created ${patch} 1`),
      ...once(
        'release hotfix',
        `evolution.passed ${patch}-rc.1 1`,
        `evolution.started ${patch}-rc.1 1`,
        `generation.promoted ${patch} 1`,
        `generation.published ${patch} 1`,
      ),
      ...once('withdraw', `generation.withdrawn ${patch} 1`),
    ].sort(),
  };
}

/** Events that do not continue the one before. */
export function brokenLinks({ ledger }: Lane): Promise<object[]> {
  return ledger.sql(`
    SELECT event_id FROM (
      SELECT event_id, previous_hash, lag(hash) OVER chain AS before, row_number() OVER chain AS place
      FROM audit_events WINDOW chain AS (ORDER BY event_id)
    ) AS links WHERE event_id <> place OR previous_hash <> before`);
}

/** Abandons a scenario: terminates its flows, and replaces its worker. */
export async function abandonLife(lane: Lane): Promise<void> {
  await lane.worker.kill();
  for await (const { workflowId, runId } of lane.client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    await lane.client.workflow
      .getHandle(workflowId, runId)
      .terminate()
      .catch(() => undefined);
  }
  lane.worker = await startDoomedWorker(lane.env, 'release');
}

/** Ends the worker of a lane, and deletes its repository and ledger. */
export async function closeLane({ worker, decisions, ledger, estate }: Lane): Promise<void> {
  await Promise.all([worker.kill(), decisions.destroy()]);
  await Promise.all([ledger.dispose(), estate.dispose()]);
}
