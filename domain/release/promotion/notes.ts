/** A commit of a release, as its message says (Conventional Commits 1.0.0). */
export interface NotedCommit {
  /** Full oid. */
  readonly commit: string;
  /** `feat`, `fix`; null for a message of another form. */
  readonly type: string | null;
  readonly scope: string | null;
  readonly subject: string;
  /** What breaks; null when nothing does. */
  readonly breaking: string | null;
}

/** A change of the released generation. */
export interface NotedChange {
  readonly id: string;
  readonly title: string;
}

/** What the notes of a release are made of. */
export interface NotedRelease {
  readonly version: string;
  readonly description: string;
  /** In the order of the contract. */
  readonly changes: readonly NotedChange[];
  /** The newest first. */
  readonly commits: readonly NotedCommit[];
}

/** Sections by types of commits; other types are left out. */
const SECTIONS: readonly (readonly [title: string, types: readonly string[]])[] = [
  ['Features', ['feat']],
  ['Fixes', ['fix', 'revert']],
  ['Performance', ['perf']],
];

/** The notes of a release in Markdown: changes of the contract, then what breaks, then commits by type. */
export function releaseNotes({ version, description, changes, commits }: NotedRelease): string {
  const breaking = commits.filter((each) => each.breaking !== null).map((each) => item(each, each.breaking ?? ''));
  const sections = [
    ['Changes', changes.map(({ id, title }) => `- **${id}** ${escaped(title)}`)] as const,
    ['Breaking changes', breaking] as const,
    ...SECTIONS.map(
      ([title, types]) =>
        [
          title,
          commits.filter(({ type }) => type !== null && types.includes(type)).map((each) => item(each, each.subject)),
        ] as const,
    ),
  ];
  return [
    `# ${version}`,
    ...(description === '' ? [] : ['', escaped(description)]),
    ...sections.flatMap(([title, items]) => (items.length === 0 ? [] : ['', `## ${title}`, '', ...items])),
    '',
  ].join('\n');
}

function item({ scope, commit }: NotedCommit, text: string): string {
  return `- ${scope === null ? '' : `**${escaped(scope)}:** `}${escaped(text)} (${commit.slice(0, 12)})`;
}

/** Foreign text as text: neither HTML, nor a mention, nor a reference that a forge would follow. */
function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_{}[\]<>#|!]/g, String.raw`\$&`)
    .replaceAll(/@(?=\w)/g, '@\u200B');
}
