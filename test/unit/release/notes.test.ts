import { expect, test } from 'vitest';
import { noted } from '../../../activities/release/promotion/write-notes.ts';
import { releaseNotes } from '../../../domain/release/promotion/notes.ts';

const oid = (digit: string): string => digit.repeat(40);

test('the notes of a release have its changes, what breaks, and commits by type', () => {
  const messages = [
    'feat(auth): add OAuth2 login [FEAT-201]\n\nWith a long text.',
    'fix!: a session ends after an hour',
    'perf: faster start\n\nBREAKING CHANGE: the cache of before is not read',
    'chore: a new version of the compiler',
    'a message of another form',
  ];
  const commits = messages.map((message, at) => noted(oid(String(at)), message));
  const changes = [{ id: 'FEAT-201', title: 'OAuth2 login support' }];
  expect(releaseNotes({ version: 'v1.5.0', description: 'User authentication', changes, commits })).toBe(`# v1.5.0

User authentication

## Changes

- **FEAT-201** OAuth2 login support

## Breaking changes

- a session ends after an hour (111111111111)
- the cache of before is not read (222222222222)

## Features

- **auth:** add OAuth2 login \\[FEAT-201\\] (000000000000)

## Fixes

- a session ends after an hour (111111111111)

## Performance

- faster start (222222222222)
`);
});

test('foreign text mentions nobody, and is neither HTML nor a list of its own', () => {
  const commits = [noted(oid('a'), 'feat: thanks @octocat <img src=x onerror=alert(1)> closes #1\nmore')];
  const notes = releaseNotes({ version: 'v1.0.0', description: 'a\n# b', changes: [], commits });
  expect(notes).not.toMatch(/@octocat|(?<!\\)<img|(?<!\\)#1|\n# b/);
});
