import type { GateRules, GateView } from './gate.ts';

/** The longest time between two reminders, in milliseconds. */
const LONGEST_REMINDER_MS = 7 * 86_400_000;

/** When a waiting flow looks at its gate again, though no decision was made. */
export interface GateMoment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: 'deadline' | 'escalation' | 'reminder';
}

/** What determines the moments of a gate. */
export interface GateTimes extends Pick<GateRules, 'deadline' | 'escalatesAt'> {
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  /** Seconds until the first reminder. */
  readonly reminderSeconds: number | null;
}

/** The next moment of a gate that is after `now`, in milliseconds since 1970; null when there is none. */
export function nextMoment(
  { requestedAt, deadline, escalatesAt, reminderSeconds }: GateTimes,
  now: number,
): GateMoment | null {
  const moments: readonly GateMoment[] = [
    ...(deadline === null ? [] : [{ at: deadline.at, what: 'deadline' as const }]),
    ...(escalatesAt === null ? [] : [{ at: escalatesAt, what: 'escalation' as const }]),
    ...(reminderSeconds === null
      ? []
      : [{ at: nextReminder(requestedAt, reminderSeconds * 1_000, now), what: 'reminder' as const }]),
  ];
  const coming = moments.filter(({ at }) => at > now);
  return coming.toSorted((a, b) => a.at - b.at)[0] ?? null;
}

/** Each pause between reminders is twice as long as the one before, so that a wait of months needs few. */
function nextReminder(requestedAt: number, firstMs: number, now: number): number {
  let pause = firstMs;
  let at = requestedAt + pause;
  while (at <= now) {
    pause = Math.max(firstMs, Math.min(2 * pause, LONGEST_REMINDER_MS));
    at += pause;
  }
  return at;
}

/** The times of a gate. `reminderSeconds` is not stored: only the flow needs it. */
export function timesOf(
  { requestedAt, deadline, atDeadline, escalatesAt }: GateView,
  reminderSeconds: number | undefined,
): GateTimes {
  return {
    requestedAt: Date.parse(requestedAt),
    deadline: deadline === null || atDeadline === null ? null : { at: Date.parse(deadline), outcome: atDeadline },
    escalatesAt: escalatesAt === null ? null : Date.parse(escalatesAt),
    reminderSeconds: reminderSeconds ?? null,
  };
}
