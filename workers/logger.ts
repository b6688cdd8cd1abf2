import type { Logger as TemporalLogger, LogLevel, LogMetadata } from '@temporalio/worker';
import type { Level, Logger } from 'pino';

const LEVEL: Record<LogLevel, Level> = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' };

/** Hands the SDK's lines, Core's, and every workflow's and activity's `log.*` to pino. */
export function temporalLogger(logger: Logger): TemporalLogger {
  function log(level: LogLevel, message: string, meta: LogMetadata = {}): void {
    const { error, ...fields } = meta;
    logger[LEVEL[level]](error === undefined ? fields : { ...fields, err: error as unknown }, message);
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
