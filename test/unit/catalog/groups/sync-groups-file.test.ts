import { describe, expect, test } from 'vitest';
import { parseSyncGroups } from '../../../../activities/catalog/groups/sync-groups-file.ts';

const reader = { file: 'sync-groups.yaml', providers: ['work'] };

function group(lines: string): string {
  return `version: 1\ngroups:\n  - name: one\n    schedule: "0 * * * *"\n    patterns: ["acme/api"]\n${lines}`;
}

describe('sync-groups.yaml', () => {
  test('the example of docs/sync-groups.md', () => {
    const { groups, warnings } = parseSyncGroups(
      `# sync-groups.yaml
version: 1
groups:
  - name: critical-platform-services
    description: "Core services for the loyalty platform. Sync every hour."
    schedule: "0 * * * *"
    patterns:
      - "p97networks/Loyalty-Platform/*"
      - "pdidev/Blue-Cow/DevTools"

  - name: data-science-libraries
    description: "Libraries for data science and ML. Sync every 6 hours."
    schedule: "0 */6 * * *"
    patterns:
      - "p97networks/Databricks/*"
`,
      reader,
    );
    expect(warnings).toEqual([]);
    expect(groups).toMatchObject([
      {
        name: 'critical-platform-services',
        schedule: '0 * * * *',
        timezone: 'UTC',
        jitterSeconds: 0,
        patterns: ['p97networks/Loyalty-Platform/*', 'pdidev/Blue-Cow/DevTools'],
        exclude: [],
        parallel: 8,
        priority: 3,
        paused: false,
      },
      { name: 'data-science-libraries', schedule: '0 */6 * * *' },
    ]);
  });

  test('all keys of a group', () => {
    const { groups } = parseSyncGroups(
      group(
        '    timezone: Europe/Berlin\n    jitter: 5m\n    exclude: ["acme/api-old"]\n    branches: [develop, "release/*"]\n    parallel: 4\n    priority: 1\n    paused: true\n',
      ),
      reader,
    );
    expect(groups[0]).toMatchObject({
      timezone: 'Europe/Berlin',
      jitterSeconds: 300,
      exclude: ['acme/api-old'],
      branches: ['develop', 'release/*'],
      parallel: 4,
      priority: 1,
      paused: true,
    });
  });

  test.each([
    ['no YAML', 'version: 1\ngroups: [', /^sync-groups\.yaml:2: /],
    ['a key twice', 'version: 1\nversion: 1\ngroups: []', /^sync-groups\.yaml:2: /],
    [
      'another version',
      'version: 2\ngroups: []',
      /^sync-groups\.yaml:1: version: this version of Longhaul reads version 1\.$/,
    ],
    [
      'an unknown key',
      group('    cron: "* * * * *"\n'),
      /^sync-groups\.yaml:6: unknown key "cron"; known keys are name, /,
    ],
    [
      'a branch name that looks like an option',
      group('    branches:\n      - develop\n      - --upload-pack=x\n'),
      /^sync-groups\.yaml:8: branches must be the name of a branch, such as develop, or a pattern/,
    ],
    [
      'the ref of a branch',
      group('    branches: [refs/heads/main]\n'),
      /^sync-groups\.yaml:6: branches must be the name/,
    ],
    [
      'a misspelt key',
      group('    paralel: 3\n'),
      /^sync-groups\.yaml:6: unknown key "paralel"; did you mean "parallel"\?$/,
    ],
    [
      'no schedule',
      'version: 1\ngroups:\n  - name: a\n    patterns: [b]\n',
      /^sync-groups\.yaml:3: schedule is missing\.$/,
    ],
    ['no groups', 'version: 1\n', /^sync-groups\.yaml(:1)?: groups is missing\.$/],
    [
      'groups that are not a list',
      'version: 1\ngroups: none\n',
      /^sync-groups\.yaml:2: groups must be a list, not a text\.$/,
    ],
    ['nothing at all', '', /^sync-groups\.yaml: version is missing\.\nsync-groups\.yaml: groups is missing\.$/],
    [
      'no patterns',
      'version: 1\ngroups:\n  - name: a\n    schedule: "0 * * * *"\n    patterns: []\n',
      /:5: patterns: give at least/,
    ],
    [
      'a bad name',
      'version: 1\ngroups:\n  - name: "a/b"\n    schedule: "0 * * * *"\n    patterns: [x]\n',
      /:3: name: use letters/,
    ],
    ['a bad pattern', group('').replace('acme/api', 'a/b/c/d/e'), /:5: The pattern "a\/b\/c\/d\/e"/],
    [
      'a pattern twice',
      group('').replace('["acme/api"]', '["acme/api", "ACME/api"]'),
      /:5: the pattern "ACME\/api" is listed twice/,
    ],
    ['a bad time zone', group('    timezone: Mars/Olympus\n'), /:6: timezone: not a time zone/],
    ['a bad span', group('    jitter: soon\n'), /:6: jitter: write a time span/],
    ['a priority out of range', group('    priority: 9\n'), /:6: priority must be at most 5\.$/],
    [
      'a name twice',
      `${group('')}  - name: ONE\n    schedule: "0 * * * *"\n    patterns: [b]\n`,
      /:6: there is another group with the name "ONE"/,
    ],
    ['a tag', 'version: !!js/function "x"\ngroups: []', /^sync-groups\.yaml:1: /],
  ])('%s', (_, text, message) => {
    expect(() => parseSyncGroups(text, reader)).toThrow(
      expect.objectContaining({ type: 'InvalidConfiguration', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    ['often', /has 1 fields/],
    ['0 0 0 * * *', /has 6 fields/],
    ['61 * * * *', /is not a valid cron expression/],
    ['* * * * 9', /is not a valid cron expression/],
    ['0 0 L * *', /is not a valid cron expression/],
    ['0 0 15W * *', /is not a valid cron expression/],
    ['0 0 * * 1#2', /is not a valid cron expression/],
    ['0 0 31 2 *', /never runs/],
    ['0 0 1 * MON', /Make two groups/],
  ])('the schedule %s', (schedule, message) => {
    expect(() => parseSyncGroups(group('').replace('0 * * * *', schedule), reader)).toThrow(message);
  });

  test.each(['*/15 * * * *', '0 9-17 * * MON-FRI', '5,35 0 1 JAN,jul *', '0 0 * * 0'])(
    'the schedule %s',
    (schedule) => {
      expect(parseSyncGroups(group('').replace('0 * * * *', schedule), reader).groups[0]?.schedule).toBe(schedule);
    },
  );

  test('every problem is reported with its line', () => {
    const text =
      'version: 1\ngroups:\n  - name: a\n    schedule: "x"\n    patterns: ["a/b/c/d/e"]\n  - name: a\n    schedule: "0 * * * *"\n    patterns: [b]\n';
    expect(() => parseSyncGroups(text, reader)).toThrow(/:6: .*\n.*:4: .*\n.*:5: /);
  });

  test('aliases that multiply are refused', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) =>
        `  l${at + 1}: &l${at + 1} [*l${at}, *l${at}, *l${at}, *l${at}, *l${at}, *l${at}, *l${at}, *l${at}, *l${at}]`,
    );
    const text = `version: 1\ngroups: []\nx:\n  l0: &l0 [lol]\n${levels.join('\n')}\n`;
    expect(() => parseSyncGroups(text, reader)).toThrow(expect.objectContaining({ type: 'InvalidConfiguration' }));
  });

  test('groups that share repositories cause a warning', () => {
    const { warnings } = parseSyncGroups(
      `${group('')}  - name: two\n    schedule: "0 * * * *"\n    patterns: ["acme/*", "other/x"]\n`,
      reader,
    );
    expect(warnings).toEqual([
      'sync-groups.yaml:8: "acme/*" can match repositories that "acme/api" of the group "one" matches too.',
    ]);
  });
});

test('a document with too many comparisons is accepted, with a warning about what was not compared', () => {
  const wildcards = 'a*'.repeat(130);
  const groups = Array.from({ length: 400 }, (_, n) => ({
    name: `g${n}`,
    schedule: '0 * * * *',
    patterns: [`a*a*a*a*a*a*b/${wildcards}${n}`],
  }));
  const { warnings } = parseSyncGroups(JSON.stringify({ version: 1, groups }), reader);
  expect(warnings.at(-1)).toMatch(/this pattern and those below it were not compared/);
}, 120_000);
