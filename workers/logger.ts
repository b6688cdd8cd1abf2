import type { Logger as TemporalLogger, LogLevel, LogMetadata } from '@temporalio/worker';
import type { Level, Logger } from 'pino';

const LEVEL: Record<LogLevel, Level> = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' };

/**
 * Passes the log lines of the SDK, its Core, workflows and activities to pino; the fields of each also to `observe`.
 */
export function temporalLogger(
  logger: Logger,
  observe: (fields: LogMetadata) => void = () => undefined,
): TemporalLogger {
  function log(level: LogLevel, message: string, meta: LogMetadata = {}): void {
    observe(meta);
    const { error, ...fields } = meta as { readonly error?: unknown };
    // pino formats an error under this name; the `error` of an event is a sentence and keeps its name
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
