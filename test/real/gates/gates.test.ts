import { describe, expect } from 'vitest';
import type { GateQuestion } from '../../../domain/gates/gate.ts';
import { withPostgres } from '../../../platform/postgres-client.ts';
import {
  type AskingFlow,
  DAY,
  gatesTest,
  PEOPLE,
  type TestDecision,
  type TestDelegation,
} from '../../support/gates/gates.ts';

const test = gatesTest(PEOPLE);

/** A decision of a row: one that is refused with a name, or repeats what the person has decided. */
type Decision = TestDecision & { readonly refused?: string; readonly isRepeated?: boolean };
/** A step of a row: a decision, a delegation, or the restart of the workers and the gateway. */
type Step = Decision | TestDelegation | 'restart';

const SECONDS = DAY / 1_000;
const DEADLINE = { seconds: 30 * SECONDS, outcome: 'rejected' } as const;

describe('a gate', () => {
  test.for<
    readonly [
      what: string,
      steps: readonly Step[],
      lastDay: number,
      expected: { readonly status: string; readonly reason: string; readonly who: readonly string[] },
      asked?: Partial<GateQuestion>,
    ]
  >([
    [
      '2 of 3, the requester among the three, and the same vote twice, with a restart in between',
      [
        { person: 'cyd', refused: 'OwnRequest' },
        { person: 'ada', day: 1 },
        'restart',
        { person: 'ada', day: 2, isRepeated: true },
        'restart',
        { person: 'ada', day: 3, isRepeated: true },
        { person: 'bob', day: 89 },
      ],
      90,
      { status: 'approved', reason: 'quorum', who: ['ada', 'bob'] },
    ],
    [
      'a revocation before the quorum',
      [
        { person: 'ada', day: 1 },
        { person: 'ada', day: 2, verdict: 'revoke' },
        { person: 'bob', day: 3 },
        'restart',
        { person: 'ada', day: 4 },
      ],
      5,
      { status: 'approved', reason: 'quorum', who: ['bob', 'ada'] },
    ],
    [
      'a revocation after the quorum',
      [
        { person: 'ada', day: 1 },
        { person: 'bob', day: 2 },
        { person: 'ada', day: 3, verdict: 'revoke', refused: 'GateClosed' },
        'restart',
        { person: 'bob', day: 4, verdict: 'revoke', refused: 'GateClosed' },
      ],
      2,
      { status: 'approved', reason: 'quorum', who: ['ada', 'bob'] },
    ],
    [
      'a delegation until day 5: what the delegate approved before counts, and nothing later',
      [
        { person: 'eve', day: 1, refused: 'NotAnApprover' },
        { person: 'ada', delegate: 'eve', untilDay: 5 },
        'restart',
        { person: 'eve', day: 4 },
        { person: 'eve', day: 6, verdict: 'revoke', refused: 'DelegationExpired' },
        'restart',
        { person: 'bob', day: 60 },
      ],
      60,
      { status: 'approved', reason: 'quorum', who: ['bob', 'eve for ada'] },
    ],
    [
      'a delegation that was ended early, one to the requester, and one of the requester',
      [
        { person: 'bob', delegate: 'dan', untilDay: 200 },
        { person: 'ada', delegate: 'cyd', untilDay: 200 },
        { person: 'cyd', delegate: 'eve', untilDay: 200 },
        'restart',
        { person: 'bob', delegate: 'dan', untilDay: 2 },
        { person: 'dan', day: 3, refused: 'DelegationExpired' },
        { person: 'cyd', day: 3, onBehalfOf: 'ada', refused: 'OwnRequest' },
        { person: 'eve', day: 3, refused: 'OwnRequest' },
        { person: 'ada', day: 4 },
        'restart',
        { person: 'bob', day: 5 },
      ],
      5,
      { status: 'approved', reason: 'quorum', who: ['ada', 'bob'] },
    ],
    [
      'a delegate that is an approver too: one person counts once',
      [
        { person: 'ada', delegate: 'bob', untilDay: 9 },
        { person: 'bob', day: 1 },
        'restart',
        { person: 'bob', day: 2, onBehalfOf: 'ada' },
        { person: 'ada', day: 3 },
      ],
      3,
      { status: 'approved', reason: 'quorum', who: ['bob', 'ada'] },
    ],
    [
      'a rejection',
      [{ person: 'ada' }, { person: 'bob', verdict: 'reject', day: 2 }],
      2,
      { status: 'rejected', reason: 'rejection', who: ['bob'] },
    ],
    [
      'a deadline without a decision, and a vote that is late',
      [{ person: 'ada', day: 1 }, 'restart', { person: 'bob', day: 30, refused: 'GateClosed' }],
      31,
      { status: 'rejected', reason: 'deadline', who: ['ada'] },
      { deadline: DEADLINE },
    ],
    [
      'a deadline that approves',
      ['restart'],
      30.5,
      { status: 'approved', reason: 'deadline', who: [] },
      { deadline: { ...DEADLINE, outcome: 'approved' } },
    ],
    [
      'an escalation: the director may decide from day 10 on',
      [
        { person: 'eve', day: 9, refused: 'NotAnApprover' },
        { person: 'ada', day: 9 },
        { person: 'eve', day: 11 },
      ],
      11,
      { status: 'approved', reason: 'quorum', who: ['ada', 'eve'] },
      { escalation: { afterSeconds: 10 * SECONDS, to: ['directors'] }, deadline: DEADLINE },
    ],
    [
      'an approval of something else, a stranger, and an author of the commit in another spelling',
      [
        { person: 'ada', digest: 'd0', refused: 'GateChanged' },
        { person: 'mallory', refused: 'NotAnApprover' },
        { person: 'bob', refused: 'OwnRequest' },
        { person: 'ada' },
        { person: 'dan', day: 2 },
      ],
      3,
      { status: 'approved', reason: 'quorum', who: ['ada', 'dan'] },
      { approvals: { needed: 2, from: ['managers', 'dan'], excludeAuthors: ['BOB@Example.com'] } },
    ],
    [
      'the requester under the own address in another case',
      [{ person: 'ada', refused: 'OwnRequest' }, { person: 'bob' }, { person: 'cyd' }],
      1,
      { status: 'approved', reason: 'quorum', who: ['bob', 'cyd'] },
      { requestedBy: 'Ada L. <ADA@Example.com>' },
    ],
  ])('%s', async ([, steps, lastDay, { who, ...expected }, asked = {}], { gates }) => {
    // a delegation is for all gates
    await gates.ledger.sql('DELETE FROM gate_delegations');
    const flow = await gates.ask(asked);
    // the days of the gate begin when the flow asks
    await flow.gate();
    let day = 0;
    for (const step of steps) {
      if (step === 'restart') await gates.restart();
      else if ('delegate' in step) await gates.delegate(flow, step);
      else {
        // reminders, escalations and deadlines happen on the way
        if ((step.day ?? 0) > day && step.refused !== 'GateClosed') await flow.skipTo((day = step.day ?? 0));
        await decided(flow, step);
      }
    }
    if (lastDay > day) await flow.skipTo(lastDay);
    const verdict = await flow.handle.result();
    const names = verdict.decisions.map(({ person, onBehalfOf }) =>
      onBehalfOf === null ? person : `${person} for ${onBehalfOf}`,
    );
    expect({ ...verdict, who: names }).toMatchObject({
      ...expected,
      who,
      authenticated: true,
    });
    const [row] = await gates.ledger.sql(`SELECT status, reason FROM gates WHERE gate_id = $1`, [verdict.gate]);
    expect(row).toEqual(expected);
    const events = await gates.ledger.sql<{ event_type: string }>(
      'SELECT event_type FROM audit_events WHERE resource_id = $1 ORDER BY event_id',
      [verdict.gate],
    );
    const types = events.map(({ event_type: type }) => type);
    const accepted = types.filter((type) => type !== 'gate.refusal');
    expect([accepted[0], accepted.at(-1)]).toEqual(['gate.opened', `gate.${verdict.status}`]);
    const decisions = steps.filter((step): step is Decision => step !== 'restart' && !('delegate' in step));
    const refusals = decisions.filter(({ refused }) => refused !== undefined);
    expect(types.length - accepted.length).toBe(refusals.length);
    // a vote that is repeated is recorded once
    const repeated = decisions.filter(({ isRepeated }) => isRepeated);
    const rows = await gates.ledger.sql(`SELECT FROM gate_decisions WHERE gate_id = $1`, [verdict.gate]);
    expect(rows).toHaveLength(decisions.length - refusals.length - repeated.length);
  });

  test('a decision that is sent to the flow, in any name, leaves the gate open and an event', async ({ gates }) => {
    const flow = await gates.ask({ approvals: { needed: 1, from: ['managers'] } });
    const gate = await flow.gate();
    const forged = { gate, by: 'ada', person: 'ada', verdict: 'approve', digest: 'd1', authenticatedBy: 'api-key' };
    await flow.handle.signal('decide', forged);
    await expect(flow.handle.executeUpdate('decide', { args: [forged] })).rejects.toMatchObject({
      cause: { type: 'NotAnApprover', message: expect.stringContaining(`longhaul approve ${gate}`) },
    });
    await flow.handle.signal(`decided ${gate}`, forged);
    const claims = await gates.ledger.sql(
      `SELECT actor, authenticated_by, status, details_json FROM audit_events WHERE resource_id = $1 AND event_type = 'gate.refusal'`,
      [gate],
    );
    expect(claims).toHaveLength(2);
    for (const claim of claims) {
      expect(claim).toEqual({
        actor: 'unknown',
        authenticated_by: 'unauthenticated',
        status: 'refused',
        details_json: { reason: 'SentToFlow', claim: JSON.stringify(forged) },
      });
    }
    expect(await gates.ledger.sql('SELECT status FROM gates WHERE gate_id = $1', [gate])).toEqual([{ status: 'open' }]);
    expect((await flow.handle.describe()).status.name).toBe('RUNNING');
    await flow.decide({ person: 'bob' });
    expect(await flow.handle.result()).toMatchObject({ status: 'approved' });
  });

  test('a login that only reads holds up no decision, and ends no session of another login', async ({ gates }) => {
    const flow = await gates.ask({ approvals: { needed: 1, from: ['managers'] } });
    const gate = await flow.gate();
    const { reader, writer } = gates.ledger.logins;
    await withPostgres(reader, async (client) => {
      await client.query('SET search_path = longhaul');
      // what anyone may lock
      await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`gate ${gate}`]);
      const inBlock = 'DO $$ BEGIN LOCK TABLE gates; END $$';
      for (const statement of ['SELECT FROM gates FOR UPDATE', 'SELECT FROM gates FOR SHARE', inBlock]) {
        await expect(client.query(statement), statement).rejects.toThrow('permission denied');
      }
      await withPostgres(writer, async (other) => {
        const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        const ending = client.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
        await expect(ending).rejects.toThrow('permission denied');
      });
      await flow.decide({ person: 'bob' });
      expect(await flow.handle.result()).toMatchObject({ status: 'approved' });
    });
  });

  test('a flow that is cancelled closes its gate', async ({ gates }) => {
    const flow = await gates.ask();
    const gate = await flow.gate();
    await flow.decide({ person: 'ada' });
    await flow.handle.cancel();
    await expect(flow.handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await gates.ledger.sql('SELECT status, reason FROM gates WHERE gate_id = $1', [gate])).toEqual([
      { status: 'cancelled', reason: 'cancelled' },
    ]);
    await expect(flow.decide({ person: 'bob' })).rejects.toMatchObject({ type: 'GateClosed' });
  });

  test('a deadline that passes while the ledger is away is not missed', async ({ gates }) => {
    const flow = await gates.ask({ deadline: { ...DEADLINE, outcome: 'approved' } });
    await flow.gate();
    await gates.withoutLedger(async () => {
      await flow.decide({ person: 'ada' });
      await expect.poll(() => pendingOf(flow)).toEqual(['settleGate']);
      await flow.skipTo(31);
    });
    expect(await flow.handle.result()).toMatchObject({ status: 'approved', reason: 'deadline' });
  });

  test('an approval cannot be revoked when the quorum is there, and the flow has not seen it yet', async ({
    gates,
  }) => {
    const flow = await gates.ask();
    await flow.gate();
    await gates.withoutLedger(async () => {
      await flow.decide({ person: 'ada' });
      await flow.decide({ person: 'bob' });
      await expect(flow.decide({ person: 'ada', verdict: 'revoke' })).rejects.toMatchObject({ type: 'GateClosed' });
      expect(await flow.decide({ person: 'bob' })).toMatchObject({ repeated: true });
    });
    expect(await flow.handle.result()).toMatchObject({ status: 'approved', reason: 'quorum' });
  });

  test('wakes for reminders and the escalation, and for nothing in between', async ({ gates }) => {
    const flow = await gates.ask({
      reminderSeconds: SECONDS,
      escalation: { afterSeconds: 4 * SECONDS, to: ['directors'] },
      deadline: DEADLINE,
    });
    await flow.gate();
    const reasons: string[] = [];
    // reminders on days 1, 3 and 7, the escalation on day 4; the deadline is far
    for (const [day, next] of [
      [0, 'reminder'],
      [1, 'reminder'],
      [2, null],
      [3, 'escalation'],
      [5, 'reminder'],
      [7, 'reminder'],
      [28, 'deadline'],
    ] as const) {
      if (day > 0) await flow.skipTo(day + 0.1);
      if (next !== null) reasons.push(`until the ${next} of the gate`);
      await expect.poll(() => flow.waits()).toEqual(reasons);
    }
    await flow.decide({ person: 'ada', day: 28 });
    await flow.decide({ person: 'eve', day: 28 });
    expect(await flow.handle.result()).toMatchObject({ status: 'approved', reason: 'quorum' });
  });

  test('approvals fall when the plan changes', async ({ gates }) => {
    const flow = await gates.ask({}, { type: 'askAboutPlan' });
    const first = await flow.gate();
    await flow.decide({ person: 'ada' });
    await flow.handle.signal('change', 'd2');
    await expect.poll(() => flow.gate()).not.toBe(first);
    await expect(flow.decide({ person: 'bob' })).rejects.toMatchObject({ type: 'GateChanged' });
    await flow.decide({ person: 'bob', digest: 'd2' });
    await flow.decide({ person: 'ada', digest: 'd2' });
    expect(await flow.handle.result()).toMatchObject({
      status: 'approved',
      decisions: [{ person: 'bob' }, { person: 'ada' }],
    });
  });

  test('two gates of one flow are independent', async ({ gates }) => {
    const flow = await gates.ask({ approvals: { needed: 1, from: [] } }, { type: 'askTwice' });
    const opened = (): Promise<{ gate_id: string }[]> =>
      gates.ledger.sql('SELECT gate_id FROM gates WHERE workflow_id = $1', [flow.handle.workflowId]);
    await expect.poll(opened).toHaveLength(2);
    const [one, other] = (await opened()).map(({ gate_id: gate }) => gate) as [string, string];
    await flow.decide({ person: 'ada', gate: one });
    await flow.decide({ person: 'ada', gate: other, verdict: 'reject' });
    const verdicts = (await flow.handle.result()) as unknown as readonly { status: string }[];
    expect(verdicts.map(({ status }) => status).toSorted()).toEqual(['approved', 'rejected']);
  });

  test.for([
    [{ approvals: { needed: 1, from: ['ghosts'] } }, 'neither a person nor a group'],
    [{ approvals: { needed: 3, from: ['managers'] } }, 'needs 3 approvals, but of managers only 2 may approve'],
    [{ requestedBy: 'аda' }, 'other than visible ASCII'],
  ] as const)('a question that cannot be answered fails the flow: %j', async ([asked, message], { gates }) => {
    const flow = await gates.ask(asked);
    await expect(flow.handle.result()).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining(message) } },
    });
  });

  test('shows itself in the Temporal UI while it waits', async ({ gates }) => {
    const flow = await gates.ask({ evidence: ['CHANGELOG: 3 changes'], deadline: DEADLINE });
    const gate = await flow.gate();
    await flow.decide({ person: 'ada' });
    const details = async (): Promise<string> =>
      (await flow.handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';
    await expect.poll(details).toContain('1 of 2');
    expect(await details()).toContain(`longhaul approve ${gate}`);
    expect(await details()).toContain('CHANGELOG: 3 changes');
    const { searchAttributes, memo } = await flow.handle.describe();
    expect(searchAttributes['LonghaulGate']).toEqual(['promotion']);
    expect(memo?.['gate']).toMatchObject({ id: gate, approvals: '1 of 2' });
    await flow.decide({ person: 'bob' });
    await flow.handle.result();
    expect((await flow.handle.describe()).searchAttributes['LonghaulGate']).toBeUndefined();
  });
});

/** The types of the activities that a flow waits for. */
async function pendingOf(flow: AskingFlow): Promise<readonly string[]> {
  const { raw } = await flow.handle.describe();
  return (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name ?? '');
}

async function decided(flow: AskingFlow, { refused, isRepeated = false, ...decision }: Decision): Promise<void> {
  const recording = flow.decide(decision);
  if (refused === undefined) expect((await recording).repeated).toBe(isRepeated);
  else await expect(recording).rejects.toMatchObject({ type: refused });
}
