import { describe, expect, test } from 'vitest';
import { indexedLanguage } from '../../../activities/index/analysis/indexed-language.ts';
import { createReused } from '../../../activities/shared/reused.ts';

describe('a language of the index', () => {
  const reading = (...answers: readonly string[][]) => {
    let reads = 0;
    const languages = createReused(() => Promise.resolve(answers[Math.min(reads++, answers.length - 1)] ?? []), 60_000);
    return { languages, reads: () => reads };
  };

  test('is found in any case and by its short name, without reading the list again', async () => {
    const { languages, reads } = reading(['TypeScript', 'C++']);
    expect(await indexedLanguage(languages, 'typescript')).toBe('TypeScript');
    expect(await indexedLanguage(languages, 'ts')).toBe('TypeScript');
    expect(await indexedLanguage(languages, 'C++')).toBe('C++');
    expect(reads()).toBe(1);
  });

  test('that was indexed after the list was read is found', async () => {
    const { languages, reads } = reading(['Go'], ['Go', 'Rust']);
    expect(await indexedLanguage(languages, 'Go')).toBe('Go');
    expect(await indexedLanguage(languages, 'rs')).toBe('Rust');
    expect(reads()).toBe(2);
  });

  test('without files is an error with suggestions', async () => {
    const { languages } = reading(['Go', 'Rust']);
    await expect(indexedLanguage(languages, 'rast')).rejects.toThrow('did you mean Rust?');
  });
});
