import { Cron } from 'croner';

/** A time in which nothing is released. */
export interface FreezeWindow {
  readonly name: string;
  /** When it begins, each time: a cron expression with five fields, or a local date and time for a single window. */
  readonly from: string;
  /** When it ends, in the same form. */
  readonly until: string;
  /** IANA name: `Europe/Berlin`. Both ends are times of its clocks, also after they were changed. */
  readonly time_zone: string;
}

/** The form of a single window's ends. */
const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/;

/** What is wrong with a window, as the rest of a sentence with the name of the field; null when nothing is. */
export function problemOfWindow({ from, until, time_zone: zone }: FreezeWindow): [field: string, why: string] | null {
  if (LOCAL_TIME.test(from) !== LOCAL_TIME.test(until)) {
    return ['until', 'must have the form of "from": two cron expressions, or two local times such as 2026-12-20T00:00'];
  }
  if (!isTimeZone(zone)) return ['time_zone', `${zone} is not a time zone such as Europe/Berlin`];
  for (const [field, text] of Object.entries({ from, until })) {
    try {
      cron(text, zone);
    } catch (error) {
      return [field, `cannot be read: ${error instanceof Error ? error.message : String(error)}`];
    }
  }
  if (LOCAL_TIME.test(from) && from >= until) return ['until', 'must be after "from"'];
  return null;
}

/** When the window that is open at `now` ends; null while none is. A window that begins and ends at once is not open. */
export function openUntil({ from, until, time_zone: zone }: FreezeWindow, now: Date): Date | null {
  // croner returns times before the given one: the window opens at the very instant
  const after = new Date(now.getTime() + 1);
  const began = latest(from, zone, after);
  const ended = latest(until, zone, after);
  if (began === null || (ended !== null && ended >= began)) return null;
  const end = cron(until, zone).nextRun(now);
  return end !== null && end > now ? end : null;
}

/** True for a time zone such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

function latest(text: string, zone: string, before: Date): Date | null {
  if (LOCAL_TIME.test(text)) {
    const [once] = cron(text, zone).previousRuns(1, new Date(8.64e14));
    return once !== undefined && once < before ? once : null;
  }
  return cron(text, zone).previousRuns(1, before)[0] ?? null;
}

function cron(text: string, zone: string): Cron {
  const pattern = LOCAL_TIME.test(text) && text.length === 16 ? `${text}:00` : text;
  return new Cron(pattern, { mode: '5-part', timezone: zone, paused: true });
}
