import { Cron } from 'croner';

/** The days of the week, as cron counts them. */
export const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

/** When a train leaves each week. */
export interface Timetable {
  readonly day: (typeof DAYS)[number];
  /** On the clocks of the time zone: `09:00`. */
  readonly time: string;
  /** IANA name: `Europe/Berlin`. */
  readonly time_zone: string;
}

/** A departure, and the time at which it is decided what is on the train. */
export interface Departure {
  readonly at: Date;
  readonly cutOff: Date;
}

/** The hour of the cut-off, the day before: the clocks of no time zone skip or repeat it. */
const CUT_OFF_HOUR = 12;

/**
 * The first departure after an instant. A time that the clocks skip is the next one that exists, and of one that they show
 * twice it is the first.
 */
export function departureAfter({ day, time, time_zone: zone }: Timetable, after: Date): Departure {
  const [hour, minute] = time.split(':').map(Number);
  const at = cron(`${minute} ${hour} * * ${DAYS.indexOf(day)}`, zone).nextRun(after);
  const cutOff = at === null ? undefined : cron(cutOffPattern(day), zone).previousRuns(1, at)[0];
  if (at === null || cutOff === undefined) throw new TypeError(`${day} ${time} in ${zone} never comes`);
  return { at, cutOff };
}

/** The cut-offs as a cron expression with five fields. */
export function cutOffPattern(day: Timetable['day']): string {
  return `0 ${CUT_OFF_HOUR} * * ${(DAYS.indexOf(day) + 6) % 7}`;
}

function cron(pattern: string, zone: string): Cron {
  return new Cron(pattern, { mode: '5-part', timezone: zone, paused: true });
}
