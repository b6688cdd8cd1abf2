import { relative } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { workflowSources } from '../../../workers/workflow-sources.ts';

const ALLOWED = new Set([
  'webpack',
  'workflows',
  'domain',
  '@temporalio/common',
  '@temporalio/workflow',
  'nexus-rpc',
  'long',
  'ms',
]);

test('the workflow bundle contains only the workflows and the rules', { timeout: 60_000 }, async () => {
  const { code } = await bundleWorkflowCode({
    ...workflowSources(),
    logger: new DefaultLogger('WARN'),
  });
  const tag = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';
  const at = code.lastIndexOf(tag);
  expect(at).toBeGreaterThan(0);
  const { sources } = JSON.parse(Buffer.from(code.slice(at + tag.length), 'base64').toString('utf8')) as {
    sources: string[];
  };
  expect([...new Set(sources.map(owner))].filter((name) => !ALLOWED.has(name))).toEqual([]);
  expect(sources.map(owner)).toContain('workflows');
  expect(at).toBeLessThan(1_520_000);
});

/** The package or layer of a source. */
function owner(source: string): string {
  const path = source.replace(/^webpack:\/\/[^/]*\//, '');
  const at = path.lastIndexOf('node_modules/');
  if (at >= 0) {
    const name = path.slice(at + 'node_modules/'.length);
    return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
  }
  return (path.startsWith('/') ? relative(process.cwd(), path) : path).split('/', 1).join('');
}
