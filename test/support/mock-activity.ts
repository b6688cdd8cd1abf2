import { type MockActivityEnvironmentOptions, MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** An environment for an activity without a worker, which does not log that the activity failed: tests expect that. */
export function mockActivity(
  info?: ConstructorParameters<typeof MockActivityEnvironment>[0],
  options?: MockActivityEnvironmentOptions,
): MockActivityEnvironment {
  return new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR'), ...options });
}
