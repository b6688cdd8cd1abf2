import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { inject, test as base, vi } from 'vitest';
import { createGateActivities } from '../../../activities/gates/gates.ts';
import { recordDelegation } from '../../../activities/gates/record-delegation.ts';
import type { RecordedDecision } from '../../../activities/gates/record-decision.ts';
import { type LedgerDatabase, openLedger } from '../../../activities/ledger/open-ledger.ts';
import { decideGate } from '../../../client/core/decide-gate.ts';
import type { GateAnswer, GateQuestion, GateVerdict } from '../../../domain/gates/gate.ts';
import type { Directory } from '../../../domain/gates/people.ts';
import type { Actor } from '../../../domain/shared/actor.ts';
import { activityWorker, flowsWorker } from '../../../workers/roles.ts';
import { askingFlows } from './asking-sources.ts';
import { openNamespace } from '../impatient.ts';
import { createTestLedger, type TestLedger } from '../ledger.ts';
import '../quiet-runtime.ts';
import { collectRuns } from '../recorded-runs.ts';

/** Milliseconds of a day. */
export const DAY = 86_400_000;

/** The people of the tests. */
export const PEOPLE: Directory = {
  people: [
    { name: 'ada', emails: ['ada@example.com'] },
    { name: 'bob', emails: ['bob@example.com'] },
    { name: 'cyd', emails: ['cyd@example.com'] },
    { name: 'dan', emails: ['dan@example.com'] },
    { name: 'eve', emails: [] },
  ],
  groups: { managers: ['ada', 'bob', 'cyd'], directors: ['eve'] },
};

/** A decision of a test. */
export interface TestDecision {
  readonly person: string;
  readonly verdict?: GateAnswer;
  /** Days since the start of the flow. */
  readonly day?: number;
  readonly digest?: string;
  readonly onBehalfOf?: string;
  /** @default the open gate of the flow */
  readonly gate?: string;
}

/** A delegation of a test. */
export interface TestDelegation {
  readonly person: string;
  readonly delegate: string;
  /** The day on which it ends, since the start of the flow. */
  readonly untilDay: number;
}

/** A flow that waits at a gate. */
export interface AskingFlow {
  readonly handle: WorkflowHandle<(question: GateQuestion) => Promise<GateVerdict>>;
  /** The id of its gate, as soon as the flow waits there. */
  gate(): Promise<string>;
  /** Lets days pass on the clock of the flow. */
  skipTo(day: number): Promise<void>;
  /** What the flow waited for, in order, besides people. */
  waits(): Promise<readonly string[]>;
  /** Decides as the gateway does for a person whom it authenticated. */
  decide(decision: TestDecision): Promise<RecordedDecision>;
}

/** Flows that ask people: Temporal, a ledger, and workers that a test can restart. */
export interface Gates {
  readonly ledger: TestLedger;
  readonly client: Client;
  /** With the login of the gateway. */
  readonly decisions: LedgerDatabase;
  /** Lets a person decide in the place of another one for so many days after `flow` began, as the gateway does. */
  delegate(flow: AskingFlow, delegation: TestDelegation): Promise<void>;
  ask(question?: Partial<GateQuestion>, options?: { type?: string; id?: string }): Promise<AskingFlow>;
  /** Stops the workers of the flows and the ledger and closes the gateway's connections; starts others. */
  restart(): Promise<void>;
  /** Does something while no worker has the ledger. */
  withoutLedger(work: () => Promise<unknown>): Promise<void>;
}

/** The question of the tests: 2 of the managers. */
export const QUESTION: GateQuestion = {
  kind: 'promotion',
  subject: 'v1.5.0 of local/acme/api',
  repository: 'local/acme/api',
  digest: 'd1',
  requestedBy: 'cyd',
  requester: 'program',
  approvals: { needed: 2, from: ['managers'] },
};

/** The tests of gates, in a namespace and a ledger of their own. All runs are replayed at the end. */
export function gatesTest(directory: Directory | null) {
  return base.extend('gates', { scope: 'file' }, async ({}, { onCleanup }): Promise<Gates> => {
    const address = inject('stack').temporalAddress;
    const namespace = `gates-${randomUUID()}`;
    const [connection, native] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    await openNamespace(connection, namespace);
    const client = new Client({ connection, namespace });
    const ledger = await createTestLedger();
    const scratch = await mkdtemp(join(tmpdir(), 'longhaul-gates-'));
    const codePath = join(scratch, 'flows.js');
    const { code } = await bundleWorkflowCode({ ...askingFlows(), logger: new DefaultLogger('WARN') });
    await writeFile(codePath, code);
    const writing = openLedger(ledger.logins.writer);
    let decisions = openLedger(ledger.logins.gates);
    const place = { connection: native, namespace };
    const activities = createGateActivities({ ledger: writing, url: ledger.logins.writer, directory });
    // without a cache every task replays the flow from its beginning
    const startFlows = (): Promise<Stop> =>
      run({
        ...flowsWorker(place, { codePath }),
        reuseV8Context: false,
        maxCachedWorkflows: 0,
      });
    const startLedger = (): Promise<Stop> => run(activityWorker(place, 'ledger', { activities }));
    let stopLedger = await startLedger();
    let stopFlows = await startFlows();
    const started: [string, string][] = [];
    onCleanup(async () => {
      const runs = await collectRuns(client, started);
      await Promise.all([stopFlows(), stopLedger()]);
      await Promise.all([writing.destroy(), decisions.destroy(), connection.close(), native.close()]);
      await ledger.dispose();
      let replayed = 0;
      const options = { workflowBundle: { codePath }, reuseV8Context: false };
      for await (const { workflowId, error } of Worker.runReplayHistories(options, runs)) {
        if (error) throw new Error(`${workflowId} cannot be replayed`, { cause: error });
        replayed++;
      }
      if (replayed === 0) throw new Error('nothing was replayed: the test started no workflow');
      await rm(scratch, { recursive: true, force: true });
    });
    return {
      ledger,
      client,
      get decisions() {
        return decisions;
      },
      async delegate({ handle }, { person, delegate, untilDay }) {
        if (directory === null) throw new Error('a delegation needs people');
        const startedAt = (await handle.describe()).startTime.getTime();
        const until = new Date(startedAt + untilDay * DAY).toISOString();
        await recordDelegation(decisions, directory, { name: person, authenticatedBy: 'api-key' }, { delegate, until });
      },
      async restart() {
        await Promise.all([stopFlows(), stopLedger(), decisions.destroy()]);
        [stopFlows, stopLedger] = await Promise.all([startFlows(), startLedger()]);
        decisions = openLedger(ledger.logins.gates);
      },
      async withoutLedger(work) {
        await stopLedger();
        await work();
        stopLedger = await startLedger();
      },
      async ask(question = {}, { type = 'askPeople', id = `ask/${randomUUID()}` } = {}) {
        const handle = await client.workflow.start<(asked: GateQuestion) => Promise<GateVerdict>>(type, {
          taskQueue: 'longhaul-flows',
          workflowId: id,
          args: [{ ...QUESTION, ...question }],
          // the task of a worker that was stopped is soon given to another one
          workflowTaskTimeout: '2 seconds',
        });
        const startedAt = (await handle.describe()).startTime.getTime();
        started.push([id, handle.firstExecutionRunId]);
        let now = startedAt;
        const gate = async (): Promise<string> => {
          const { gate_id: found } = await vi.waitUntil(
            async () => {
              const rows = await ledger.sql<{ gate_id: string }>(
                `SELECT gate_id FROM gates WHERE workflow_id = $1 ORDER BY status = 'open' DESC, requested_at DESC`,
                [id],
              );
              return rows[0];
            },
            { timeout: 60_000, interval: 50 },
          );
          return found;
        };
        return {
          handle,
          gate,
          async skipTo(day) {
            const next = startedAt + day * DAY;
            await handle.signal('skipTime', next - now);
            now = next;
          },
          waits: () => handle.query('waits'),
          async decide({ person, verdict = 'approve', day = 0, digest = QUESTION.digest, onBehalfOf, gate: named }) {
            const actor: Actor = {
              name: person,
              authenticatedBy: directory === null ? 'unauthenticated' : 'api-key',
            };
            const given = { gate: named ?? (await gate()), verdict, why: 'because', digest };
            return decideGate(
              { ledger: decisions, client, directory },
              actor,
              onBehalfOf === undefined ? given : { ...given, onBehalfOf },
              new Date(startedAt + day * DAY + 1_000),
            );
          },
        };
      },
    };
  });
}

type Stop = () => Promise<void>;

async function run(options: WorkerOptions): Promise<Stop> {
  const worker = await Worker.create({ ...options, shutdownGraceTime: '1 second' });
  const done = worker.run();
  return async () => {
    worker.shutdown();
    await done;
  };
}
