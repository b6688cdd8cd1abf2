import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { FLOWS } from '../../../domain/flows.ts';
import { type AnyFlow, createRegistry, defineFlow, writtenId, type Zod } from '../../../domain/shared/flow.ts';
import { parseInput, parseServiceInput } from '../../../domain/shared/flow.schema.ts';
import { flowTable } from '../../../domain/shared/flow-table.ts';
import * as workflows from '../../../workflows/index.ts';

test('every declared flow is a workflow, and every workflow is declared', () => {
  expect(FLOWS.all.map(({ type }) => type).sort()).toEqual(Object.keys(workflows).sort());
});

test('the table in docs/flows.md is that of the declarations (node scripts/flow-table.mjs writes it)', () => {
  const document = readFileSync(new URL('../../../docs/flows.md', import.meta.url), 'utf8');
  expect(document).toContain(`<!-- flows -->\n\n${flowTable(FLOWS.all)}\n\n<!-- /flows -->`);
});

test.each(FLOWS.all.map((flow: AnyFlow) => [flow.type, flow] as const))(
  '%s: its examples are valid inputs',
  (_type, flow) => {
    for (const example of flow.examples) {
      const checked = parseInput(flow, example);
      expect(Buffer.byteLength(flow.summary(checked))).toBeLessThanOrEqual(200);
      expect(flow.id(checked)).toBeTruthy();
      const ofService = flow.startedBy.includes('services') ? parseServiceInput(flow, example) : checked;
      expect(ofService).toEqual(checked);
    }
    for (const schema of [...Object.values(flow.signals), ...Object.values(flow.updates)])
      expect(schema(z)).toBeDefined();
  },
);

const toy = defineFlow<{ readonly name: string }, string>()({
  type: 'toy',
  input: (zod) => zod.strictObject({ name: zod.string(), size: zod.int().default(1) }),
  does: 'plays',
  examples: [],
  startedBy: ['people'],
  id: ({ name, size }) => `toy/${name}/${size}`,
});

test('a declaration has the types of given and checked inputs', () => {
  const { size } = parseInput(toy, { name: 'bear' });
  expect([size, writtenId(toy, { name: 'bear', size })]).toEqual([1, 'toy/bear/1']);
  expect(() => parseInput(toy, { name: 1 })).toThrow('toy: name must be a text, not a number');
});

test('a flow with a start signal has one question for each id', () => {
  const signalled = {
    type: 'signalled',
    input: (zod: Zod) => zod.strictObject({ name: zod.string(), size: zod.int().default(1) }),
    does: 'plays',
    examples: [],
    startedBy: ['people'],
    id: ({ name }: { readonly name: string }) => `toy/${name}`,
    startSignal: { name: 'go', input: () => ({}) },
  } as const;
  const { question, whenRunning } = defineFlow<{ readonly name: string }, string>()(signalled);
  expect([question({ name: 'bear', size: 1 }), whenRunning]).toEqual(['toy/bear', 'join']);
  const declare = (more: object): unknown => defineFlow<{ readonly name: string }, string>()({ ...signalled, ...more });
  expect(() => declare({ question: () => 1 })).toThrow('signalled has a startSignal: remove question and whenRunning');
  expect(() => declare({ whenRunning: 'refuse' })).toThrow(TypeError);
});

test('two flows of one type are rejected', () => {
  expect(() => createRegistry([toy, toy])).toThrow(TypeError);
});
