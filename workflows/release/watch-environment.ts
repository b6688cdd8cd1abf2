import { CancellationScope } from '@temporalio/workflow';
import type { Watched } from '../../activities/release/deployment/watch-deployment.ts';
import type { DeploymentInput } from '../../activities/release/environment-changes.ts';
import type { DeployService, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import type { MetricsBefore } from '../../domain/release/deployment/watch.ts';
import type { EnvironmentChange } from '../../domain/release/flows/deploy-flows.ts';
import { passGate } from '../shared/gate.ts';
import { hookActivities, lastingChangeActivities } from './activities.ts';
import { unhealthy } from './deployment-failures.ts';

/** What a watch works with. */
interface Watching {
  readonly services: readonly DeployService[];
  /** Services under which further objects of theirs are recorded: canaries. @default none */
  readonly canaries?: readonly string[];
  /** How long. */
  readonly seconds: number;
  readonly target: DeploymentInput;
  /** What the metrics said before the first change. */
  readonly before: MetricsBefore;
}

/** Watches by metrics, addresses and readiness, and by programs where the contract has some: the first breach ends both. */
export async function watch(
  { packed, goBack }: Pick<EnvironmentChange, 'packed' | 'goBack'>,
  { services: watched, canaries = [], seconds, target, before }: Watching,
): Promise<Watched> {
  const services = [...watched.map(({ name }) => name), ...canaries];
  const checked = watched.filter(({ hasPrograms }) => hasPrograms).map(({ name }) => name);
  const scope = new CancellationScope();
  const endsAll = <Result extends { readonly breach: string | null }>(result: Result): Result => {
    if (result.breach !== null) scope.cancel();
    return result;
  };
  const summary = `watch for ${Math.ceil(seconds)} s`;
  const [measured, programs] = await scope.run(() =>
    Promise.allSettled([
      lastingChangeActivities(Math.ceil(seconds))
        .watchDeployment.executeWithOptions({ summary }, [
          // for a while they are about what was there before, and say nothing about what replaces it
          {
            ...target,
            services,
            baseline: before.latency,
            byMetrics: !goBack && before.problem === null,
            seconds,
          },
        ])
        .then(endsAll),
      checked.length === 0
        ? { breach: null }
        : hookActivities.watchByProgram
            .executeWithOptions({ summary: `${summary}, by programs` }, [
              { ...target, packed, services: checked, seconds },
            ])
            .then(endsAll),
    ]),
  );
  const nothing = { breach: null, silent: [], samples: 0 };
  for (const ended of [measured, programs]) {
    if (ended.status === 'fulfilled' && ended.value.breach !== null) {
      return { ...nothing, ...(measured.status === 'fulfilled' ? measured.value : {}), breach: ended.value.breach };
    }
  }
  if (measured.status === 'rejected') throw measured.reason;
  if (programs.status === 'rejected') throw programs.reason;
  return measured.value;
}

/** Asks whether a deployment stays about which the metrics could not decide. */
export async function keepBlind(
  given: EnvironmentChange,
  { digest, deployment }: PlannedDeployment,
  why: string,
): Promise<void> {
  const { repository, version, environment, by, alert } = given;
  const verdict = await passGate({
    kind: 'no data',
    subject: `${version} of ${repository} in ${environment}`,
    repository,
    digest,
    requestedBy: by,
    requester: alert === undefined ? 'person' : 'service',
    approvals: { needed: 1, from: [] },
    evidence: [why, `longhaul deployments show ${deployment}`],
  });
  if (verdict.status === 'rejected') throw unhealthy(given, `${why}, and a person rejected it`);
}
