/** The permissions that a token needs at GitHub: of a fine-grained token or app, and the scope of a classic token. */
export const GITHUB_NEEDS = {
  push: 'Contents: write (classic: repo)',
  pull: 'Pull requests: write (classic: repo)',
  issue: 'Issues: write (classic: repo)',
  check: 'Commit statuses: write (classic: repo:status)',
  release: 'Contents: write (classic: repo)',
} as const;

/** What a token can need at GitHub. */
export type GithubNeeds = keyof typeof GITHUB_NEEDS;

/** The scopes that a token needs at Gitea or Forgejo; its owner must be allowed to write to the repository. */
export const GITEA_NEEDS = {
  push: 'write:repository',
  pull: 'write:repository',
  issue: 'write:issue',
  check: 'write:repository',
  release: 'write:repository',
} as const;

/** What a token can need at Gitea. */
export type GiteaNeeds = keyof typeof GITEA_NEEDS;

/** The scope and the role in the project that a token needs at GitLab. */
export const GITLAB_NEEDS = {
  push: 'the scope write_repository and the role Developer',
  pull: 'the scope api and the role Developer',
  issue: 'the scope api and the role Reporter',
  check: 'the scope api and the role Developer',
  release: 'the scope api and the role Developer',
} as const;

/** What a token can need at GitLab. */
export type GitlabNeeds = keyof typeof GITLAB_NEEDS;
