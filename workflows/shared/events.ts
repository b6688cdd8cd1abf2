import { log } from '@temporalio/workflow';
import { type EventFields, type EventName, EVENTS } from '../../domain/shared/events.ts';

/** Logs an event once: a replay logs nothing. */
export function logEvent<Name extends EventName>(event: Name, fields: EventFields<Name>): void {
  log[EVENTS[event]](event, { event, ...fields });
}
