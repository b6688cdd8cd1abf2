import { DefaultLogger, Runtime } from '@temporalio/worker';

// once for all tests of a process: workers and replays log only errors
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: { level: 'ERROR' } } },
});
