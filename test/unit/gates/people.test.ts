import { describe, expect, test } from 'vitest';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { isPlainName, membersOf, peopleNamed, unknownName } from '../../../domain/gates/people.ts';

const DIRECTORY = {
  people: [
    { name: 'ada', emails: ['Ada@Example.com', 'ada@home.example'] },
    { name: 'bob', emails: ['bob@example.com'] },
    { name: 'cyd', emails: [] },
  ],
  groups: { managers: ['bob', 'ada'] },
};

describe('people', () => {
  test.each([
    ['ada', ['ada']],
    ['ADA', ['ada']],
    [' ada@example.COM ', ['ada']],
    ['Ada Lovelace <ada@HOME.example>', ['ada']],
    ['ａｄａ', ['ada']],
    ['bob <ada@example.com>', ['ada', 'bob']],
    ['ada.example.com', []],
    ['', []],
  ])('"%s" names %j', (text, expected) => {
    expect(peopleNamed(DIRECTORY, text)).toEqual(expected);
  });

  test('a name with letters of another script is not plain, and names no person', () => {
    for (const lookAlike of ['аda', 'adа', 'ada\u200b', 'a\u0308da', 'ada\u0000']) {
      expect(isPlainName(lookAlike)).toBe(false);
      expect(peopleNamed(DIRECTORY, lookAlike)).toEqual([]);
    }
    expect(isPlainName('Ada Lovelace <ada@example.com>')).toBe(true);
  });

  test('groups stand for their members, each once; no names stand for all', () => {
    expect(membersOf(DIRECTORY, ['ada', 'managers'])).toEqual(['ada', 'bob']);
    expect(membersOf(DIRECTORY, [])).toEqual(['ada', 'bob', 'cyd']);
    expect(membersOf(DIRECTORY, ['gone'])).toEqual([]);
    expect(unknownName(DIRECTORY, ['managers', 'cyd'])).toBeNull();
    expect(unknownName(DIRECTORY, ['managers', 'toString'])).toBe('toString');
  });
});

describe('people in longhaul.yaml', () => {
  const issuesOf = (people: unknown, groups: unknown = {}): string[] => {
    const { error } = configSchema.safeParse({ people, groups });
    return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  const hash = `sha256:${'0'.repeat(64)}`;

  test.each<readonly [what: string, people: unknown, groups: unknown, expected: string]>([
    [
      'two with one name in another case',
      [{ name: 'ada' }, { name: 'Ada' }],
      {},
      'people.1: ada belongs to ada already',
    ],
    [
      'two with one address in another case',
      [
        { name: 'ada', emails: ['a@example.com'] },
        { name: 'bob', emails: ['A@EXAMPLE.com'] },
      ],
      {},
      'people.1: a@example.com belongs to ada already',
    ],
    [
      'two with one key',
      [
        { name: 'ada', key: { id: '0123456789ab', hash } },
        { name: 'bob', key: { id: '0123456789ab', hash } },
      ],
      {},
      'people.1: the key 0123456789ab belongs to ada already',
    ],
    [
      'two with one subject',
      [
        { name: 'ada', oidc: '1' },
        { name: 'bob', oidc: '1' },
      ],
      {},
      'people.1: the subject 1 belongs to ada already',
    ],
    ['a group with the name of a person', [{ name: 'ada' }], { Ada: ['ada'] }, 'groups.Ada: a person has this name'],
    ['a member who is nobody', [{ name: 'ada' }], { all: ['bob'] }, 'groups.all: there is no person "bob"'],
    [
      'an address with letters that look like others',
      [{ name: 'ada', emails: ['аda@example.com'] }],
      {},
      'people.0.emails.0: use ASCII characters only: others look the same',
    ],
  ])('%s', (_what, people, groups, expected) => {
    expect(issuesOf(people, groups)).toEqual([expected]);
  });

  test('a name of another script, or a key itself, is refused', () => {
    expect(issuesOf([{ name: 'аda' }])[0]).toContain('people.0.name');
    expect(issuesOf([{ name: 'ada', key: { id: '0123456789ab', hash: 'lh_0123456789ab_secret' } }])[0]).toContain(
      'never the key itself',
    );
    expect(
      issuesOf([{ name: 'ada', emails: ['ada@example.com'], key: { id: '0123456789ab', hash } }], { all: ['ada'] }),
    ).toEqual([]);
  });
});
