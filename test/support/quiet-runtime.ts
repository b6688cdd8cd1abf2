import v8 from 'node:v8';
import { DefaultLogger, Runtime } from '@temporalio/worker';

/** True in a process that has the runtime: unit tests share one, and some of them load their modules again. */
const INSTALLED = Symbol.for('longhaul.test.quiet-runtime');
const process = globalThis as { [INSTALLED]?: boolean };

if (process[INSTALLED] !== true) {
  process[INSTALLED] = true;
  // once for all tests of a process: workers and replays log only errors
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: { level: 'ERROR' } } },
  });

  // A replay runs flows in this thread, and follows all of its promises for stack traces. That fails for those of web streams,
  // whose constructor Node hides. Workers run flows in threads of their own, which have no such streams.
  v8.promiseHooks.createHook = () => () => undefined;
}
