import { expect, onTestFinished, test, vi } from 'vitest';
import type { Library } from '../../../client/mcp/library.ts';
import { searchCode } from '../../../client/mcp/search-code.ts';

test('the time of a search is the whole wait of the caller', async () => {
  let clock = 5_000;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
  onTestFinished(() => now.mockRestore());
  const library = {
    // the first search opens the index
    receipts: () => {
      clock += 700;
      return Promise.resolve([{ repository: 'local/acme/api' }]);
    },
    search: () => {
      clock += 40;
      return Promise.resolve({ query: 'lanes', tookMs: 30, results: [] });
    },
  } as unknown as Library;
  const { structured } = await searchCode(library, { query: 'lanes', limit: 10 }, new AbortController().signal);
  expect(structured).toEqual({ query: 'lanes', tookMs: 740, results: [], omitted: 0 });
});
