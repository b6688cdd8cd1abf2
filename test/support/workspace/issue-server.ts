import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from '../scratch-git.ts';
import { registryServer } from './registry-server.ts';

/** An issue or pull request as Gitea describes it. */
export function giteaIssue(number: number, more: object = {}): object {
  return {
    number,
    title: `Title ${number}`,
    body: '',
    user: { login: 'ada' },
    labels: [],
    comments: 0,
    html_url: `https://tea.example/${number}`,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-02T00:00:00Z',
    ...more,
  };
}

/**
 * Serves issues as Gitea does, and makes the repository `core` of a workspace one of its `acme/core`. Returns the
 * environment of commands that reads them.
 */
export async function serveIssues(
  scratch: string,
  root: string,
  { issues, topics = [] }: { readonly issues: readonly object[]; readonly topics?: readonly string[] },
): Promise<NodeJS.ProcessEnv> {
  const { url } = await registryServer((path, response) => {
    response.setHeader('content-type', 'application/json');
    if (path.startsWith('/api/v1/repos/acme/core/issues')) response.end(JSON.stringify(issues));
    else if (path === '/api/v1/repos/acme/core/topics') response.end(JSON.stringify({ topics }));
    else if (path === '/api/v1/user') response.end('{"login":"ada"}');
    else response.writeHead(404).end('{"message":"not found"}');
  });
  git(join(root, 'core'), 'remote', 'add', 'origin', `${url}/acme/core.git`);
  const config = join(scratch, 'longhaul.yaml');
  writeFileSync(config, `providers: [{ name: tea, type: gitea, url: '${url}', tokenEnv: TEA }]\n`);
  return { LONGHAUL_CONFIG: config, TEA: 'secret' };
}
