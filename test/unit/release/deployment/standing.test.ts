import { expect, test } from 'vitest';
import { releaseBefore, standing } from '../../../../domain/release/deployment/standing.ts';

/** `v2`, `<v1` for one that goes back, `v2:web` with its services. */
function deployments(text: string) {
  return text
    .split(' ')
    .filter(Boolean)
    .map((each) => {
      const [version = '', services = 'api'] = each.replace('<', '').split(':');
      return { version, goesBack: each.startsWith('<'), services: services.split(',') };
    });
}

test.each([
  ['', ''],
  ['v1 v2 v3', 'v1 v2 v3'],
  ['v1 v2 v3 <v2', 'v1 v2'],
  ['v1 v2 v3 <v2 <v1', 'v1'],
  ['v1 v2 <v1 v3', 'v1 v3'],
  ['v1 v2 <v1 v2', 'v1 v2'],
  ['v1 v2 v1', 'v1 v2 v1'],
  ['v1 v2 v1 <v2', 'v1 v2'],
  ['v1:api v1:web', 'v1:api,web'],
  // what was before the first one is not known
  ['<v1 v2', 'v2'],
])('%s leaves %s', (all, left) => {
  expect(standing(deployments(all))).toEqual(deployments(left));
});

test.each([
  ['', null],
  ['v1.0.0', null],
  ['v1.0.0 v1.1.0', 'v1.0.0'],
  ['v1.0.0 v1.1.0 <v1.0.0', null],
  // commits of pipelines
  ['v1.0.0 0123456789ab v1.1.0', 'v1.0.0'],
  ['v1.0.0 0123456789ab', 'v1.0.0'],
  ['0123456789ab v1.0.0', null],
  ['v1.0.0 v1.1.0 0123456789ab v1.1.0', 'v1.0.0'],
  ['v1.0.0 v1.1.0 v1.0.0', 'v1.1.0'],
])('%s goes back to %s', (all, before) => {
  expect(releaseBefore(standing(deployments(all)))).toBe(before);
});
