import { log } from '@temporalio/workflow';
import { type EventFields, type EventName, EVENTS } from '../../domain/shared/events.ts';

/** Tells the log what happened, once: a replay tells nothing. */
export function tell<Name extends EventName>(event: Name, fields: EventFields<Name>): void {
  log[EVENTS[event]](event, { event, ...fields });
}
