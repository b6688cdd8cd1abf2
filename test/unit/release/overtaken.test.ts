import { expect, test } from 'vitest';
import { arrivalOf } from '../../../domain/release/train/overtaken.ts';

/** `v2`, `<v1` for one that goes back. */
function deployments(text: string) {
  return text
    .split(' ')
    .filter(Boolean)
    .map((each) => ({ version: each.replace('<', ''), goesBack: each.startsWith('<'), services: ['api'] }));
}

const WENT_BACK = 'production had v1.5.0, and went back to v1.4.0: longhaul deploy v1.5.0 --env production';

const LATER = 'production has v1.5.1, which is later than v1.5.0.';

test.each([
  ['', false, null],
  ['v1.4.0', false, null],
  ['v1.4.0 v1.5.0', true, null],
  ['v1.4.0 v1.5.0 v1.6.0', true, null],
  ['v1.4.0 v1.5.0 <v1.4.0', false, WENT_BACK],
  ['v1.5.0 <v1.4.0', false, WENT_BACK],
  ['v1.4.0 v1.5.0 <v1.4.0 v1.4.1', false, WENT_BACK],
  // people have deployed it again
  ['v1.4.0 v1.5.0 <v1.4.0 v1.5.0', true, null],
  ['v1.4.0 v1.5.0 v1.6.0 <v1.5.0', true, null],
  // the hotfix of a release that waited for a freeze, also where an earlier one followed it
  ['v1.4.0 v1.5.1', false, LATER],
  ['v1.4.0 v1.5.1 v1.4.1', false, LATER],
  // by number, not by letter
  ['v1.10.0', false, 'production has v1.10.0, which is later than v1.5.0.'],
  ['v1.4.10', false, null],
  // a commit that is not released
  ['v1.4.0 9fa7b44f', false, null],
  // people went back from the later one
  ['v1.4.0 v1.5.1 <v1.4.0', false, null],
])('an environment with the deployments %j has v1.5.0: %s, overtaken: %s', (all, isThere, overtaken) => {
  const release = { version: 'v1.5.0', environment: 'production' };
  expect(arrivalOf(deployments(all), release)).toEqual({ isThere, overtaken });
});
