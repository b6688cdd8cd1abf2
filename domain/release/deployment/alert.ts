/** An alert that fires, as its sender describes it. */
export interface FiringAlert {
  readonly name: string;
  /** What it says, on one line; empty for one that says nothing. */
  readonly summary: string;
  /** Names its labels: the same as long as they stay the same. */
  readonly fingerprint: string;
  /** When it began to fire, ISO 8601: another time is another alert. */
  readonly startsAt: string;
}

/** What an alert about an environment does: asks people for a rollback, rolls back, or nothing. */
export type AlertRule = 'ask' | 'rollback' | 'ignore';

/** Characters of what an alert says that people are shown. */
export const LONGEST_SUMMARY = 300;
/** Characters of its name. */
export const LONGEST_NAME = 100;

/**
 * A text of an alert for people: one line, without control and formatting characters and those of markup, cut. Labels and
 * annotations have values of series, which those who send requests to a service may choose.
 */
export function plainText(text: string, longest: number): string {
  const plain = text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}<>[\]{}`|\\~#*]/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  // not between the halves of a character
  return plain.length <= longest ? plain : `${plain.slice(0, longest - 1).replace(/[\ud800-\udbff]$/u, '')}…`;
}

/** An alert as a line: `HighErrorRate since 2026-11-30T10:00Z: 12 % of requests fail`. */
export function describeAlert({ name, summary, startsAt }: FiringAlert): string {
  return `${name} since ${startsAt.slice(0, 16)}Z${summary === '' ? '' : `: ${summary}`}`;
}

/** Characters of a reason. */
const LONGEST_REASON = 500;

/** Alerts as the reason of a rollback, cut. */
export function reasonOf(alerts: readonly FiringAlert[]): string {
  return plainText(alerts.map(describeAlert).join('; '), LONGEST_REASON);
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Milliseconds until the next look at a deployment that is at work: seconds at first, an hour after the first hour, so that
 * a history stays small.
 */
export function untilDeploymentLook(looks: number): number {
  return looks < 10 ? Math.min(15_000 * 2 ** looks, 10 * MINUTE_MS) : HOUR_MS;
}

/** Milliseconds until the next look whether a question is still about the present release. */
export function untilQuestionLook(looks: number): number {
  return looks < 6 ? 10 * MINUTE_MS : HOUR_MS;
}

/** What identifies an alert of an environment, for the audit trail. */
export function alertKey(environment: string, { fingerprint, startsAt }: FiringAlert): string {
  return `${environment}/${fingerprint}/${startsAt}`;
}

/** The last deployment to an environment that has changed it. */
export interface AlertedDeployment {
  readonly status: 'deploying' | 'deployed' | 'undone' | 'not undone';
  /** True for one that went back to an earlier release. */
  readonly goesBack: boolean;
  /** When its first change came. */
  readonly startedAt: Date;
}

/** An environment that alerts are about. */
export interface AlertedEnvironment {
  /** Null for an environment that nothing was deployed to. */
  readonly last: AlertedDeployment | null;
  readonly rule: AlertRule;
  /** The release before the present one; null when there is none. */
  readonly before: string | null;
}

/** What alerts lead to. */
export type AlertJudgement =
  /** Nothing yet: a deployment is at work, whose watch decides. */
  | { readonly act: 'wait' }
  /** `why`: a sentence. */
  | { readonly act: 'nothing'; readonly why: string }
  /** A rollback to the release `to`, or a question about it, because of these alerts. */
  | { readonly act: 'ask' | 'rollback'; readonly to: string; readonly alerts: readonly FiringAlert[] };

/** What alerts about an environment lead to. `alerts` are those that have led to nothing before. */
export function judgeAlerts(
  { last, rule, before }: AlertedEnvironment,
  alerts: readonly FiringAlert[],
): AlertJudgement {
  if (last === null) return nothing('Nothing was deployed there.');
  if (last.status === 'deploying') return { act: 'wait' };
  if (last.status !== 'deployed') return nothing('The last deployment has been rolled back already.');
  if (last.goesBack) return nothing('People have gone back to an earlier release already.');
  if (rule === 'ignore') return nothing('The environment ignores alerts.');
  const after = alerts.filter(({ startsAt }) => Date.parse(startsAt) >= last.startedAt.getTime());
  if (after.length === 0) {
    return nothing(
      alerts.length === 0 ? 'These alerts were answered before.' : 'The alerts began before the last deployment.',
    );
  }
  if (before === null) return nothing('There is no release to go back to.');
  return { act: rule, to: before, alerts: after };
}

function nothing(why: string): AlertJudgement {
  return { act: 'nothing', why };
}
