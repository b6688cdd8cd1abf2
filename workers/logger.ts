import type { Logger as TemporalLogger, LogLevel, LogMetadata } from '@temporalio/worker';
import { destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { redact } from '../domain/redact.ts';

const LEVEL: Record<LogLevel, Level> = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' };

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

/** Hands the SDK's lines, Core's, and every workflow's and activity's `log.*` to pino; the fields of each also to `observe`. */
export function temporalLogger(
  logger: Logger,
  observe: (fields: LogMetadata) => void = () => undefined,
): TemporalLogger {
  function log(level: LogLevel, message: string, meta: LogMetadata = {}): void {
    observe(meta);
    const { error, ...fields } = meta as { readonly error?: unknown };
    // pino writes out an error under this name; the `error` of an event is a sentence, and keeps its name
    logger[LEVEL[level]](error instanceof Error ? { ...fields, err: error } : meta, message);
  }
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}
