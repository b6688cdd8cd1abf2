import { expect, test } from 'vitest';
import { deployReleaseFlow } from '../../../../domain/release/flows/deploy-flows.ts';
import { writtenId } from '../../../../domain/shared/flow.ts';

test('a deployment that waits for the end of a soak time leaves the id of the release to people', () => {
  const asked = {
    repository: 'local/acme/api',
    version: 'v1.1.0',
    environment: 'production',
    dryRun: false,
    overrideFreeze: '',
    reason: '',
    goBack: false,
    by: 'ada',
  };
  const soaked = { deployment: 'd-1', until: '2026-11-30T10:00:00.000Z' };
  expect(writtenId(deployReleaseFlow, asked)).toBe('deployment/local/acme/api/production/v1.1.0');
  expect(writtenId(deployReleaseFlow, { ...asked, soaked })).toBe(
    'deployment/local/acme/api/production/v1.1.0/after-soak',
  );
});
