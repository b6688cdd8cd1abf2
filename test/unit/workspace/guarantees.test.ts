import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/docs/markdown.ts';

test('each guarantee in the documentation of workspaces names a test that is there', () => {
  const text = readFileSync(join(ROOT, 'docs/workspaces.md'), 'utf8');
  const table = text.slice(text.indexOf('### Guarantees'), text.indexOf('## The workspaces of a machine'));
  const rows = [...table.matchAll(/\| `([\w/.-]+)`: (.+) \|$/gm)];
  expect(rows).toHaveLength(8);
  for (const [, file = '', title = ''] of rows) {
    expect(readFileSync(join(ROOT, 'test', file), 'utf8')).toContain(`'${title}'`);
  }
});
