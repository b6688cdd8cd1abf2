import { expect, test } from 'vitest';
import { changesBegin } from '../../../../domain/release/deployment/changes-begin.ts';

/** `v1.0.0` or `v1.0.0:web` with its services; the commit has the name of the version. */
function standing(text: string) {
  return text
    .split(' ')
    .filter(Boolean)
    .map((each) => {
      const [version = '', services = 'api,web'] = each.split(':');
      return { version, commit: `commit of ${version}`, goesBack: false, services: services.split(',') };
    });
}

test.each([
  ['v1.0.0 v1.1.0', 'v1.2.0', 'api,web', 'v1.1.0'],
  // the same release again, or the rest of it
  ['v1.0.0 v1.1.0', 'v1.1.0', 'api,web', 'v1.0.0'],
  ['v1.0.0 v1.1.0:api', 'v1.1.0', 'web', 'v1.0.0'],
  // the release before has a part of it only
  ['v1.0.0 v1.1.0:api', 'v1.2.0', 'api,web', 'v1.0.0'],
  ['v1.0.0 v1.1.0:api', 'v1.2.0', 'api', 'v1.1.0'],
  // a service that is new
  ['v1.0.0 v1.1.0', 'v1.2.0', 'api,web,mail', 'v1.1.0'],
  // an environment, or services, without a release: the promoted one before
  ['', 'v1.2.0', 'api', 'v1.1.0'],
  ['v1.0.0', 'v1.2.0', 'mail', 'v1.1.0'],
  ['', 'v0.9.0', 'api', null],
  ['', '0123456789ab', 'api', 'v1.3.0'],
])('in an environment with %s, the changes of %s in %s begin after %s', (had, version, services, before) => {
  const promoted = ['v1.3.0', 'v1.0.0', 'v1.1.0'].map((each) => ({ version: each, commit: `commit of ${each}` }));
  const given = { version, services: services.split(',') };
  expect(changesBegin(standing(had), promoted, given)).toBe(before && `commit of ${before}`);
});
