import type { Logger as TemporalLogger } from '@temporalio/worker';
import { type Logger } from 'pino';
/**
 * The log of a process: one JSON object a line on stderr, written synchronously so that nothing is lost at exit, with
 * `timestamp` (ISO 8601), `level` (its name) and, for what seed 000 workflow 8 names, `event`.
 */
export declare function createLogger(env: NodeJS.ProcessEnv): Logger;
/** Hands the SDK's lines, Core's, and every workflow's and activity's `log.*` to pino. */
export declare function temporalLogger(logger: Logger): TemporalLogger;
