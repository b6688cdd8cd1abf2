import { expect, test } from 'vitest';
import { every, FAULTS } from '../../support/faults.ts';

test('every third request has the next fault', () => {
  const faults = every(3, FAULTS);
  const got = Array.from({ length: 12 }, () => faults('GET /acme/api.git/info/refs'));
  expect(got.map((fault) => fault !== null)).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1].map(Boolean));
  expect(new Set(got.filter((fault) => fault !== null))).toEqual(new Set(FAULTS));
});

test('a repository with the most faults is spared in any order of requests, others are not', () => {
  const faults = every(2, FAULTS, { mostOfOne: 3 });
  const hits = { unlucky: 0, other: 0 };
  // every second request is of one repository
  for (let n = 0; n < 20; n++) {
    faults(`GET /acme/spare${n}.git/info/refs?service=git-upload-pack`);
    if (faults('POST /acme/unlucky.git/git-upload-pack') !== null) hits.unlucky++;
  }
  faults('GET /acme/spare.git/info/refs');
  if (faults('GET /acme/other.git/info/refs') !== null) hits.other++;
  expect(hits).toEqual({ unlucky: 3, other: 1 });
});
