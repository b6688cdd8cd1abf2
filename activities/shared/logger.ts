import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { PROCESS_EVENTS, type ProcessEventName } from '../../domain/shared/events.ts';
import { redact } from '../../domain/shared/redact.ts';

/** Fields that must never reach a log: a task token lets anyone complete the activity. */
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
 * The log of a process: one JSON object a line on stderr, written synchronously so that nothing is lost at exit, with
 * `timestamp` (ISO 8601), `level` (its name) and, for what docs/events.md names, `event`. Secrets are taken out of every line,
 * wherever in it they are.
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

/** As much of a logger as {@link tellProcess} needs. */
type EventLogger = {
  readonly [Level in (typeof PROCESS_EVENTS)[ProcessEventName]]: (fields: object, message: string) => void;
};

/** Tells the log what became of this process, or what it was asked. */
export function tellProcess(logger: EventLogger, event: ProcessEventName, fields: object, message: string): void {
  logger[PROCESS_EVENTS[event]]({ event, ...fields }, message);
}
