import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { styleFor } from '../../../client/core/style.ts';
import { memoryIo } from '../../support/memory-io.ts';

test.each([
  ['a terminal', true, {}, true],
  ['a pipe', false, {}, false],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
  ['a terminal with an empty NO_COLOR', true, { NO_COLOR: '' }, true],
  ['a pipe with FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
  ['a pipe with an empty FORCE_COLOR', false, { FORCE_COLOR: '' }, false],
  ['a terminal with FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
  ['NO_COLOR and FORCE_COLOR', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
] as const)('%s', (_, isTTY, env, isStyled) => {
  const { stdout } = memoryIo();
  const text = styleFor(Object.assign(stdout, { isTTY }), env)('bold', 'Temporal');
  expect(stripVTControlCharacters(text)).toBe('Temporal');
  expect(text !== 'Temporal').toBe(isStyled);
});
