import { expect, test } from 'vitest';
import { fewSentences, fewSentencesEach } from '../../../activities/workspace/few-sentences.ts';

const many = (count: number, text = 'a link is not verified'): string[] =>
  Array.from({ length: count }, (_, at) => `${at} ${text}`);

test('a history gets some sentences, and how many more there are', () => {
  expect(fewSentences(many(50))).toEqual(many(50));
  expect(fewSentences(many(3_000))).toEqual([...many(50), 'and 2950 more']);
  const [said = ''] = fewSentences([`https://deploy:s3cret-token@registry.example.com ${'x'.repeat(10_000)}`]);
  expect([said.length, said.includes('s3cret')]).toEqual([500, false]);
});

test('every question about a repository stays, however many there are, and all are small', () => {
  const one = fewSentencesEach([{ name: 'api', path: 'api', work: many(60) }]);
  expect(one).toEqual([{ name: 'api', path: 'api', work: [...many(50), 'and 10 more'] }]);
  const asked = Array.from({ length: 1_500 }, (_, at) => ({ name: `r${at}`, work: many(100, 'x'.repeat(5_000)) }));
  const few = fewSentencesEach(asked);
  expect(few.map(({ name }) => name)).toEqual(asked.map(({ name }) => name));
  expect(JSON.stringify(few).length).toBeLessThan(1_000_000);
});
