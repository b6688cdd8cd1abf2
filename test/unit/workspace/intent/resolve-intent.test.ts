import { expect, test } from 'vitest';
import { type Estate, estateOf, slugOf } from '../../../../domain/workspace/intent/estate.ts';
import { LonghaulError } from '../../../../domain/shared/failures.ts';
import { readIntent } from '../../../../domain/workspace/intent/intent.schema.ts';
import { EMPTY_INTENT, type ResolvedIntent } from '../../../../domain/workspace/intent/intent.ts';
import { requirementsOf } from '../../../../domain/workspace/intent/requirements.ts';
import { resolveIntent } from '../../../../domain/workspace/intent/resolve-intent.ts';
import { madeSnapshot } from '../../../support/workspace/snapshots.ts';

/** Packages of Elixir with their real dependencies on each other, some of them. */
const NEEDS: readonly (readonly [string, string])[] = [
  ['phoenix', 'plug'],
  ['phoenix', 'jason'],
  ['ecto', 'decimal'],
  ['ecto', 'jason'],
  ['ecto_sql', 'ecto'],
  ['phoenix_ecto', 'ecto'],
  ['phoenix_ecto', 'phoenix_html'],
  ['phoenix_ecto', 'plug'],
  ['phoenix_live_view', 'phoenix'],
  ['phoenix_live_view', 'phoenix_html'],
  ['ash', 'ecto'],
  ['ash_authentication', 'ash'],
  ['ash_authentication', 'jason'],
  ['guardian', 'jason'],
];
const OWNERS: Readonly<Record<string, string>> = {
  phoenix: 'phoenixframework',
  jason: 'michalmuskala',
  ecto: 'elixir-ecto',
};
const NAMES = [...new Set(NEEDS.flat())];

function elixirEstate({ changed = '' } = {}): Estate {
  const snapshot = madeSnapshot(
    NAMES.map((name) => ({ name, origin: `https://github.com/${OWNERS[name] ?? 'elixir'}/${name}.git` })),
    { deps: NEEDS, ecosystem: 'hex' },
  );
  const git = snapshot.git.map((state) => ({ ...state, 'dirty?': state.repo === changed }));
  return estateOf({ ...snapshot, git }, { topics: new Map([['guardian', ['authentication', 'jwt']]]) });
}

const resolved = (sentence: string, estate = elixirEstate()): ResolvedIntent =>
  resolveIntent(sentence, EMPTY_INTENT, estate);
const names = ({ repos }: ResolvedIntent): string[] => repos.map(({ name }) => name);

/** The failure of a function, as `<type>: <message>`. */
function failureIn(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof LonghaulError) return `${error.type}: ${error.message}`;
    throw error;
  }
  throw new Error('it did not fail');
}

test('"I want to work on Phoenix auth bugs"', () => {
  const found = resolved('I want to work on Phoenix auth bugs');
  expect(found.intent).toMatchObject({
    capabilities: ['elixir', 'phoenix', 'auth'],
    preferences: { bug_vs_feature: 'bug', needs_tests: null },
  });
  expect(found.repos).toEqual([
    { name: 'phoenix', reasons: ['phoenix is named'] },
    { name: 'guardian', reasons: ['its topic is authentication'] },
    { name: 'ash_authentication', reasons: ['its name ash_authentication is about auth'] },
    { name: 'phoenix_ecto', reasons: ['its name phoenix_ecto is about phoenix'] },
    { name: 'phoenix_html', reasons: ['its name phoenix_html is about phoenix'] },
    { name: 'phoenix_live_view', reasons: ['its name phoenix_live_view is about phoenix'] },
  ]);
  expect(found).toMatchObject({ issues: [], labels: [], consumers: false, workspace: 'generated', open_questions: [] });
  expect(found.skills_needed).toEqual(expect.arrayContaining(['elixir', 'phoenix', 'ecto']));
  expect(found.effort.size).toBe('large');
});

test('"Fix the failing test in jason#203"', () => {
  const found = resolved('Fix the failing test in jason#203');
  expect(found).toMatchObject({
    intent: { capabilities: ['elixir'], preferences: { bug_vs_feature: 'bug', needs_tests: true } },
    repos: [{ name: 'jason', reasons: ['it has the issue #203'] }],
    issues: [{ repository: 'jason', number: 203 }],
    effort: { size: 'small', why: 'it is one issue of one repository' },
    open_questions: [],
  });
  expect(requirementsOf(found, elixirEstate())).toEqual({
    repos: ['jason'],
    links: [],
    capabilities: ['elixir'],
    ephemeral: false,
    ttl: null,
    scope: { kind: 'single', why: 'one repository is enough' },
  });
});

test('"Explore good-first-issue opportunities in Ecto"', () => {
  const found = resolved('Explore good-first-issue opportunities in Ecto');
  expect(found).toMatchObject({
    intent: { constraints: { max_difficulty: 'easy' }, preferences: { bug_vs_feature: null } },
    repos: [{ name: 'ecto', reasons: ['ecto is named'] }],
    labels: ['good first issue'],
    effort: { size: 'small' },
    open_questions: [],
  });
});

test('"Validate my change across all downstream consumers"', () => {
  const found = resolved('Validate my change across all downstream consumers', elixirEstate({ changed: 'ecto' }));
  expect(found).toMatchObject({ consumers: true, effort: { size: 'large' }, open_questions: [] });
  expect(names(found)[0]).toBe('ecto');
  expect(names(found).toSorted()).toEqual(['ash', 'ash_authentication', 'ecto', 'ecto_sql', 'phoenix_ecto']);
  expect(names(found).indexOf('ash')).toBeLessThan(names(found).indexOf('ash_authentication'));
  expect(found.repos.at(-1)?.reasons ?? found.repos).not.toEqual([]);
  expect(found.repos.find(({ name }) => name === 'ash_authentication')?.reasons).toEqual([
    'it needs ecto through others',
  ]);
  expect(requirementsOf(found, elixirEstate(), { ephemeral: true, ttl: '2h' })).toMatchObject({
    links: expect.arrayContaining([
      { from: 'ecto_sql', to: 'ecto', type: 'path' },
      { from: 'ash_authentication', to: 'ash', type: 'path' },
    ]),
    ephemeral: true,
    ttl: '2h',
    scope: { kind: 'cross', why: 'a change is validated in everything that needs it' },
  });
  const unchanged = resolved('Validate my change across all downstream consumers');
  expect(unchanged.repos).toEqual([]);
  expect(unchanged.open_questions).toEqual([
    'No repository is named, and none has changes: name the one that changes.',
  ]);
});

test('an intent without a sentence chooses by its capabilities, as many as it wants', () => {
  const intent = readIntent(
    { capabilities: ['elixir', 'phoenix', 'auth'], constraints: { time: '2h', max_repos: 3 } },
    'intent.json',
  );
  expect(intent.constraints).toEqual({ max_difficulty: null, time_available: '2h', max_repos: 3 });
  const found = resolveIntent(null, intent, elixirEstate());
  expect(names(found)).toEqual(['phoenix', 'guardian', 'ash_authentication']);
  expect(found.open_questions).toEqual(['6 repositories match, and 3 are wanted: the first ones.']);
});

test('a sentence counts more than the intent with it', () => {
  const intent = readIntent(
    { constraints: { max_difficulty: 'hard', max_repos: 9 }, preferences: { bug_vs_feature: 'feature' } },
    'x',
  );
  const found = resolveIntent('an easy bug in ecto, within 90 minutes, at most 2 repositories', intent, elixirEstate());
  expect(found.intent).toMatchObject({
    constraints: { max_difficulty: 'easy', time_available: '90m', max_repos: 2 },
    preferences: { bug_vs_feature: 'bug' },
  });
  expect(names(found)).toEqual(['ecto']);
  expect(found.open_questions).toEqual([]);
});

test.each([
  ['look at phoenixframework/phoenix#12', 'phoenix', 'phoenixframework/phoenix', 12],
  ['https://github.com/elixir-ecto/ecto/issues/4 please', 'ecto', 'elixir-ecto/ecto', 4],
  ['https://gitlab.example/elixir/ash/-/merge_requests/7#note_1', 'ash', 'elixir/ash', 7],
])('%s names an issue', (sentence, name, repository, number) => {
  const found = resolved(sentence);
  expect(names(found)).toEqual([name]);
  expect(found.issues).toEqual([{ repository, number }]);
});

test('an issue of an unknown repository, or of one with another owner, is a question and never a guess', () => {
  for (const sentence of ['fix nothing-here#1', 'fix evil/jason#1']) {
    const found = resolved(sentence);
    expect(found.repos).toEqual([]);
    expect(found.open_questions).toEqual([expect.stringContaining('No repository of the workspace is')]);
  }
});

test('words that mean nothing here are named', () => {
  expect(resolved('work on quantum bugs').open_questions).toEqual([
    '"quantum" is no repository, package, language or topic here.',
    'Nothing here says which repositories are meant: name one, a package, or a language.',
  ]);
});

test('a language chooses its repositories, and leaves out others where more is said', () => {
  const go = madeSnapshot([{ name: 'auth-go', packages: [{ name: 'example.com/auth' }] }], { ecosystem: 'go' });
  const js = madeSnapshot([{ name: 'auth-js', packages: [{ name: '@acme/auth-js' }] }]);
  const snapshot = { ...go, repos: [...go.repos, ...js.repos], git: [...go.git, ...js.git] };
  const estate = estateOf(snapshot);
  expect(names(resolved('something in Go', estate))).toEqual(['auth-go']);
  expect(names(resolved('go and look for authentication', estate))).toEqual(['auth-go', 'auth-js']);
  expect(names(resolved('authentication in golang', estate))).toEqual(['auth-go']);
  expect(names(resolved('@acme/auth-js', estate))).toEqual(['auth-js']);
});

test('labels that are known are found as such, one word only where it is called a label', () => {
  const estate = { ...elixirEstate(), labels: ['kind/bug', 'Level:Starter', 'ecto'] };
  expect(resolved('kind bug in jason', estate).labels).toEqual(['kind/bug']);
  expect(resolved('level starter in jason', estate).labels).toEqual(['Level:Starter']);
  expect(resolved('work on ecto', estate)).toMatchObject({ labels: [], repos: [{ name: 'ecto' }] });
  expect(resolved('jason with the label ecto', estate)).toMatchObject({ labels: ['ecto'], repos: [{ name: 'jason' }] });
});

test.each([
  [{ capabilities: 'auth' }, 'capabilities'],
  [{ constraints: { time_available: 'soon' } }, 'constraints.time_available'],
  [{ constraints: { max_repos: 0 } }, 'constraints.max_repos'],
  [{ preferences: { bug_vs_feature: 'both' } }, 'preferences.bug_vs_feature'],
  [{ goal: 'x' }, 'goal'],
  [null, 'x.json is no intent'],
])('%j is no intent', (value, named) => {
  const failure = failureIn(() => readIntent(value, 'x.json'));
  expect(failure).toMatch(/^InvalidInput: /);
  expect(failure).toContain(named);
});

test('an empty sentence and one that never ends are refused', () => {
  expect(failureIn(() => resolved('  '))).toMatch(/^InvalidInput: Say what/);
  expect(failureIn(() => resolved('a'.repeat(2_001)))).toMatch(/^InvalidInput: The sentence has more/);
});

test.each([
  ['https://github.com/acme/api.git', 'acme/api'],
  ['ssh://git@git.example:22/acme/sub/api', 'acme/sub/api'],
  ['git@github.com:acme/api.git', 'acme/api'],
  ['https://git.example/api', null],
  ['file:///srv/acme/api', null],
  ['/srv/acme/api', null],
])('the slug of %s', (origin, slug) => {
  expect(slugOf(origin)).toBe(slug);
});
