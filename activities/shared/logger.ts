import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { PROCESS_EVENTS, type ProcessEventName } from '../../domain/shared/events.ts';
import { redact } from '../../domain/shared/redact.ts';

/** Fields that must never be logged: a task token lets anyone complete the activity. */
const SECRETS = [
  'taskToken',
  '*.taskToken',
  'apiKey',
  '*.apiKey',
  'token',
  '*.token',
  'authorization',
  '*.authorization',
];

/**
 * The log of a process: one JSON object per line on stderr, written synchronously so that nothing is lost at exit, with
 * `timestamp` (ISO 8601), `level` (its name) and, for events in docs/events.md, `event`. Secrets are removed from every
 * line.
 */
export function createLogger(env: NodeJS.ProcessEnv): Logger {
  return pino(
    {
      base: null,
      level: env['LONGHAUL_LOG_LEVEL'] ?? 'info',
      messageKey: 'message',
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"timestamp"'),
      formatters: { level: (label) => ({ level: label }) },
      redact: SECRETS,
      hooks: { streamWrite: redact },
    },
    destination({ dest: 2, sync: true }),
  );
}

/** The part of a logger that {@link logProcess} needs. */
type EventLogger = {
  readonly [Level in (typeof PROCESS_EVENTS)[ProcessEventName]]: (fields: object, message: string) => void;
};

/** Logs an event of this process or of a request to it. */
export function logProcess(logger: EventLogger, event: ProcessEventName, fields: object, message: string): void {
  logger[PROCESS_EVENTS[event]]({ event, ...fields }, message);
}
