import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { topologyOf } from '../../../domain/workspace/topology.ts';
import { madeSnapshot } from '../../support/workspace/snapshots.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const edges = fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)), {
  maxLength: 14,
  selector: (edge) => edge.join(' '),
});

function topologyWith(pairs: readonly (readonly [string, string])[]) {
  const half = pairs.filter((_, at) => at % 2 === 0);
  const other = pairs.filter((_, at) => at % 2 === 1);
  return topologyOf(
    madeSnapshot(
      NAMES.map((name) => ({ name })),
      { deps: half, links: other },
    ),
  );
}

/** Who can be reached from whom, by trying every way through every repository. */
function closure(pairs: readonly (readonly [string, string])[]): ReadonlySet<string> {
  const reach = new Set(pairs.filter(([from, to]) => from !== to).map((pair) => pair.join(' ')));
  for (const middle of NAMES) {
    for (const from of NAMES) {
      for (const to of NAMES)
        if (reach.has(`${from} ${middle}`) && reach.has(`${middle} ${to}`)) reach.add(`${from} ${to}`);
    }
  }
  return reach;
}

describe('the topology', () => {
  test.prop([edges])(
    'has the consumers, providers and dependents that every way through the graph leads to',
    (pairs) => {
      const found = topologyWith(pairs);
      const reach = closure(pairs);
      const real = new Set(pairs.filter(([from, to]) => from !== to).map((pair) => pair.join(' ')));
      for (const name of NAMES) {
        expect(found.providers[name]).toEqual(NAMES.filter((other) => real.has(`${name} ${other}`)));
        expect(found.consumers[name]).toEqual(NAMES.filter((other) => real.has(`${other} ${name}`)));
        const dependents = NAMES.filter((other) => other !== name && reach.has(`${other} ${name}`));
        expect(found.transitive_dependents[name]).toEqual(dependents);
      }
    },
  );

  test.prop([edges])('has every repository after those that it needs, except within a cycle', (pairs) => {
    const { topological_order: order, cycles, ...found } = topologyWith(pairs);
    const reach = closure(pairs);
    const isMutual = (a: string, b: string): boolean => reach.has(`${a} ${b}`) && reach.has(`${b} ${a}`);
    expect(order.toSorted()).toEqual(NAMES);
    for (const [from, to] of pairs) {
      if (from !== to && !isMutual(from, to)) expect(order.indexOf(to)).toBeLessThan(order.indexOf(from));
    }
    const groups = NAMES.map((name) => NAMES.filter((other) => other === name || isMutual(name, other)));
    const expected = groups.filter((group, at) => group.length > 1 && group[0] === NAMES[at]);
    expect(cycles).toEqual(expected);
    expect(found['cyclic?']).toBe(expected.length > 0);
  });

  test('a chain of 3,000 repositories needs no stack', () => {
    const names = Array.from({ length: 3_000 }, (_, at) => `r${String(at).padStart(5, '0')}`);
    const repos = names.map((name) => ({ name, packages: [] }));
    const links = names.slice(1).map((name, at) => ({ repo: name, dep: names[at] ?? '' }));
    expect(() => topologyOf({ repos, deps: [], links })).not.toThrow();
  });

  test('packages of other repositories are external; names of Python packages are compared without case', () => {
    const repos = [{ name: 'app' }, { name: 'lib', packages: [{ name: 'My_Lib' }] }];
    const found = topologyOf(
      madeSnapshot(repos, {
        ecosystem: 'python',
        deps: [
          ['app', 'my-lib'],
          ['app', 'requests'],
        ],
      }),
    );
    expect(found.providers['app']).toEqual(['lib']);
    expect(found.external_apps).toEqual(['requests']);
  });

  test('of several repositories that are ready, the first by name comes first', () => {
    expect(topologyWith([['a', 'g']]).topological_order).toEqual(['b', 'c', 'd', 'e', 'f', 'g', 'a']);
  });
});
