import { sql } from 'kysely';
import {
  alertKey,
  type AlertedEnvironment,
  type AlertJudgement,
  describeAlert,
  type FiringAlert,
  judgeAlerts,
} from '../../../domain/release/deployment/alert.ts';
import { releaseBefore, standing } from '../../../domain/release/deployment/standing.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import { readContracts } from '../contracts/stored-contracts.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { type EnvironmentKey, stayedIn } from './stayed.ts';

/** Alerts to judge. */
export interface JudgeAlerts extends EnvironmentKey {
  readonly alerts: readonly FiringAlert[];
  readonly by: string;
}

/** What alerts lead to, and about which deployment. */
export type JudgedAlerts =
  | Extract<AlertJudgement, { readonly act: 'wait' | 'nothing' }>
  | (Extract<AlertJudgement, { readonly act: 'ask' | 'rollback' }> & {
      /** Id of the present deployment. */
      readonly deployment: string;
      /** The present release. */
      readonly version: string;
      /** SHA-256 of what people are asked. */
      readonly digest: string;
    });

/** The type of the event of an alert that leads to something: it is the memory by which a repetition leads to nothing. */
const TAKEN = 'alert.taken';

/**
 * What alerts about an environment lead to, by the contract of the release that it has. Each alert that leads to something
 * does so once: the audit trail has it from then on. A repetition by the same run has the same result.
 */
export async function judgeAlertsOf(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  { alerts, ...key }: JudgeAlerts,
  flow: RunningFlow,
): Promise<JudgedAlerts> {
  const { repository, environment } = key;
  const present = await lastDeployment(ledger, key);
  const rule = present === undefined ? 'ignore' : await ruleOf(blobs, key, present.contracts);
  return ledger.transaction().execute(async (trx) => {
    // the lock of the chain: an attempt that was given up may still run
    await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
    const last = await lastDeployment(trx, key);
    // a deployment has begun meanwhile
    if (last?.deployment_id !== present?.deployment_id) return { act: 'wait' };
    const taken = await takenAlerts(trx, key, alerts);
    const own = new Set(taken.filter(({ run_id: run }) => run === flow.runId).map(({ resource_id: id }) => id));
    const others = new Set(taken.map(({ resource_id: id }) => id).filter((id) => !own.has(id)));
    const fresh = alerts.filter((alert) => !others.has(alertKey(environment, alert)));
    const judged = judgeAlerts(await environmentOf(trx, key, last, rule), fresh);
    if (judged.act === 'wait' || judged.act === 'nothing') return judged;
    if (last === undefined) throw new TypeError(`${environment} has no deployment to go back from`);
    const { deployment_id: deployment, version } = last;
    for (const alert of judged.alerts.filter((each) => !own.has(alertKey(environment, each)))) {
      await recordEvent(trx, {
        event_type: TAKEN,
        repository,
        resource_type: 'alert',
        resource_id: alertKey(environment, alert),
        action: judged.act === 'ask' ? 'ask for a rollback' : 'roll back',
        status: 'success',
        ...flow.who,
        workflow_id: flow.workflowId,
        run_id: flow.runId,
        details: { environment, deployment, version, to: judged.to, alert: describeAlert(alert) },
      });
    }
    const digest = sha256(JSON.stringify([repository, environment, deployment, judged.to]));
    return { ...judged, deployment, version, digest };
  });
}

/** The last deployment that has changed an environment; undefined for none. */
function lastDeployment(ledger: Pick<LedgerTransaction, 'selectFrom'>, { repository, environment }: EnvironmentKey) {
  return ledger
    .selectFrom('deployments')
    .select(['deployment_id', 'status', 'goes_back', 'started_at', 'ended_at', 'contracts', 'version'])
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('started_at', 'is not', null)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
}

type LastDeployment = Awaited<ReturnType<typeof lastDeployment>>;

async function ruleOf(
  blobs: LedgerTools['blobs'],
  { repository, environment: name }: EnvironmentKey,
  contracts: string,
): Promise<AlertedEnvironment['rule']> {
  const { environments } = await readContracts(blobs, contracts, repository);
  return environments.find((each) => each.name === name)?.alerts ?? 'ignore';
}

async function environmentOf(
  trx: LedgerTransaction,
  key: EnvironmentKey,
  last: LastDeployment,
  rule: AlertedEnvironment['rule'],
): Promise<AlertedEnvironment> {
  if (last === undefined || last.started_at === null) return { last: null, rule, before: null };
  const { goes_back: goesBack, started_at: startedAt, ended_at: endedAt } = last;
  // one of which something could not be undone is open until people have repaired it
  const status = last.status === 'not undone' && endedAt === null ? 'deploying' : last.status;
  const before = releaseBefore(standing(await stayedIn(trx, key)));
  // one that has begun is in one of these states
  return { last: { status: status as 'deployed', goesBack, startedAt }, rule, before };
}

/** The events of alerts that have led to something. */
function takenAlerts(
  trx: LedgerTransaction,
  { repository, environment }: EnvironmentKey,
  alerts: readonly FiringAlert[],
): Promise<readonly { readonly resource_id: string; readonly run_id: string | null }[]> {
  return trx
    .selectFrom('audit_events')
    .select(['resource_id', 'run_id'])
    .where('repository', '=', repository)
    .where('event_type', '=', sql.lit(TAKEN))
    .where(
      'resource_id',
      'in',
      alerts.map((alert) => alertKey(environment, alert)),
    )
    .execute();
}
