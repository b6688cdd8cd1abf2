import { expect, test } from 'vitest';
import { GITEA_NEEDS, GITHUB_NEEDS, GITLAB_NEEDS } from '../../../activities/forges/needs.ts';
import { readPages } from '../../support/docs/markdown.ts';

test('the document lists the permissions that messages name', () => {
  const page = readPages().find(({ path }) => path === 'docs/forges.md');
  const rows = page?.tables.find(([head]) => head?.[0] === 'operation') ?? [];
  const column = (at: number): string => rows.map((cells) => cells[at]).join('\n');
  for (const [at, needs] of [GITHUB_NEEDS, GITEA_NEEDS, GITLAB_NEEDS].entries()) {
    for (const text of Object.values(needs)) expect(column(at + 1)).toContain(text);
  }
});
