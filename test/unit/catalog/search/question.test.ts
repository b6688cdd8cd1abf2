import { describe, expect, test } from 'vitest';
import { nameTerms, operatorTerms, stems } from '../../../../domain/catalog/search/identifiers.ts';
import { checkLimit, readQuestion, wordsOf } from '../../../../domain/catalog/search/question.ts';

describe('a question', () => {
  test.each([
    ['getUserName', ['getUserName']],
    ['Foo::bar', ['bar', 'Foo']],
    ['foo.bar', ['bar', 'foo']],
    ['self->field', ['field', 'self']],
    ['Namespace\\Class', ['Class', 'Namespace']],
    ['HTTP_PORT', ['HTTP_PORT']],
    ['Router', ['Router']],
    ['URL', ['URL']],
    ['_private', ['_private']],
    ['__init__', ['__init__']],
    ['parse()', ['parse']],
    ['empty?', null],
    ['session', null],
    ['how does it work', null],
    ['Where are retries', null],
    ['two words', null],
  ])('%s names %j', (query, names) => {
    const question = readQuestion(query);
    expect({ isSymbol: question.isSymbol, names: question.names }).toEqual({
      isSymbol: names !== null,
      names: names ?? [],
    });
  });

  test('finds identifiers among words, but not plain words', () => {
    expect(readQuestion('where is parseURL called by Client with max_retries set').names).toEqual([
      'parseURL',
      'max_retries',
    ]);
    expect(readQuestion('The HTTP protocol').names).toEqual([]);
  });

  test.each([
    ['thread pool', 'threadpool'],
    ['the thread-pool of workers', 'threadpool'],
    ['grace hash join', 'hashjoin'],
  ])('%s may also be written together: %s', (query, term) => {
    expect(readQuestion(query).alsoTerms).toContain(stems(term)[0]);
  });

  test('does not join words over a stop word or a sign', () => {
    expect(readQuestion('thread of pool, size').alsoTerms).toEqual([]);
  });

  test.each(['=>', '<<', '>>=', '??', '<=>'])(
    'of the operator %s alone is a name, found where a text has it',
    (operator) => {
      const { isSymbol, names, alsoTerms } = readQuestion(operator);
      expect({ isSymbol, names }).toEqual({ isSymbol: true, names: [operator] });
      expect(nameTerms([operator])).toEqual(alsoTerms);
      expect(operatorTerms(`a ${operator} b`)).toEqual(alsoTerms);
    },
  );

  test.each([
    ['unit tests of the parser', ['test']],
    ['an example of streaming', ['example']],
    ['json schema', ['data']],
    ['parse a document', []],
    ['the latest release', ['tooling']],
    ['find the fastest route', []],
  ])('%s asks for %j', (query, kinds) => {
    expect([...readQuestion(query).kinds]).toEqual(kinds);
  });

  test('can be parsed from any text', () => {
    for (const query of ['', ' ', '::', '...', '\0', '😀', '数据库', 'a'.repeat(10_000), '_'.repeat(50_000)]) {
      expect(readQuestion(query).names.length).toBeLessThan(2);
    }
  });

  test('is parsed in time linear to its length', () => {
    const { user, system } = process.threadCpuUsage();
    for (const query of ['aA', 'a_', 'aA0', '_'].map((part) => part.repeat(50_000))) {
      for (const end of ['', '$', ' $ word']) readQuestion(`${query}${end}`);
    }
    const spent = process.threadCpuUsage({ user, system });
    // a fraction of a second; with the square of the length, minutes
    expect((spent.user + spent.system) / 1e6).toBeLessThan(5);
  });
});

test.each([
  ['getUserNames', ['get', 'user', 'name']],
  ['parser', ['parser']],
  ['_private_thing', ['privat', 'thing']],
  ['my-file.test', ['my', 'file', 'test']],
  ['größeÄndern', ['größe', 'ändern']],
  ['___', []],
])('the words of %s are %j', (identifier, words) => {
  expect(wordsOf(identifier)).toEqual(words);
});

test.each([1, 10, 100])('a limit of %s is allowed', (limit) => {
  expect(() => checkLimit(limit)).not.toThrow();
});

test.each([-1, 0, 1.5, 101, 1e300, Number.NaN, Number.POSITIVE_INFINITY])('a limit of %s is rejected', (limit) => {
  expect(() => checkLimit(limit)).toThrow(
    expect.objectContaining({
      type: 'InvalidInput',
      message: `limit: ${limit} is not a whole number from 1 to 100.`,
    }) as Error,
  );
});
