import { onTestFinished } from 'vitest';
import { openForge } from '../../../activities/forges/open-forge.ts';
import type { ProviderConfig } from '../../../domain/config/providers.schema.ts';
import { startDescribedGithub } from './described-github.ts';
import { startDescribedGitlab } from './described-gitlab.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { addIssue, addPull, newProject, tokenOf } from './project.ts';
import type { Who, WritePlace } from './write-place.ts';

/** Starts a forge in memory, behind a proxy. It ends with the test. */
export async function startDescribedPlace(kind: 'github' | 'gitlab'): Promise<WritePlace> {
  const project = newProject();
  const forge = kind === 'github' ? await startDescribedGithub(project) : await startDescribedGitlab(project);
  const proxy = await startFaultProxy(forge.url);
  onTestFinished(async () => {
    await proxy.close();
    await forge.close();
  });
  const token = (who: Who): string => (who === 'nobody' ? 'unknown-T0ken' : tokenOf(who));
  return {
    proxy,
    repository: { id: 'work/acme/api', organization: 'acme', project: null, repository: 'api' },
    commit: project.commit,
    token,
    open(who = 'writer', limits = {}) {
      const common = {
        name: 'work',
        url: proxy.url,
        archived: false,
        forks: false,
        tokenEnv: 'READ',
        writeTokenEnv: 'T',
        limits,
      };
      const config: ProviderConfig = kind === 'github' ? { type: 'github', ...common } : { type: 'gitlab', ...common };
      return openForge(config, { T: token(who) });
    },
    addBranch: async (name) => void project.branches.add(name),
    addTag: async (name) => void project.tags.add(name),
    addIssue: async () => addIssue(project),
    say: async (on, body) => void project.comments.push({ id: project.next++, on, author: 'other', body }),
    addPull: async (head, isFork) =>
      addPull(project, { head, base: 'main', isFork, author: 'other', title: 'theirs', body: 'theirs' }).number,
    closePull: async (number) => {
      const pull = project.pulls.find((one) => one.number === number);
      if (pull) pull.state = 'closed';
    },
    pulls: async () => project.pulls,
    comments: async (number) => project.comments.filter(({ on }) => on === number),
    labels: async () => [...project.labels.keys()],
    labelsOf: async (number) => [...(project.issues.get(number)?.labels ?? [])],
    checks: async () => {
      const named = { failed: 'failure', canceled: 'error' };
      return project.checks
        .map((check) => ({ ...check, state: named[check.state as keyof typeof named] ?? check.state }))
        .toReversed();
    },
    tags: async () => [...project.tags],
    releases: async () =>
      project.releases.map(({ tag, title, notes, assets }) => ({
        tag,
        title,
        notes,
        assets: Object.fromEntries(
          assets.filter(({ isComplete }) => isComplete).map(({ name, content }) => [name, content.toString()]),
        ),
      })),
    get violations() {
      return forge.violations;
    },
    ...(kind === 'github'
      ? {
          latest: () => project.releases.find(({ isLatest }) => isLatest)?.tag ?? null,
          interruptUpload: (tag: string, name: string) => {
            const release = project.releases.find((one) => one.tag === tag);
            release?.assets.push({ id: project.next++, name, content: Buffer.from(''), isComplete: false });
          },
        }
      : {}),
  };
}
