// Commit messages: https://www.conventionalcommits.org, as CONTRIBUTING.md shows them.
export default {
  extends: ['@commitlint/config-conventional'],
  // merges of pull requests and branches, whose messages the forge writes
  ignores: [(message) => /^Merge[ :]/.test(message)],
  rules: {
    'type-enum': [
      2,
      'always',
      ['feat', 'fix', 'perf', 'refactor', 'docs', 'test', 'bench', 'build', 'ci', 'style', 'chore', 'revert'],
    ],
    // the line length of this repository
    'header-max-length': [2, 'always', 120],
    'body-max-line-length': [2, 'always', 120],
    // trailers and links
    'footer-max-line-length': [0],
    // names of flows, types and files stand at any place
    'subject-case': [0],
  },
};
