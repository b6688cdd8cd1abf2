/** What a file is besides the code that people look for. */
export type FileKind =
  | 'test'
  | 'example'
  | 'documentation'
  | 'benchmark'
  | 'locale'
  | 'generated'
  | 'declaration'
  | 'legacy'
  | 're-export'
  | 'data'
  | 'amalgamation'
  | 'tooling';

interface KindRule {
  readonly kind: FileKind;
  /** Words of a question that ask for it. */
  readonly words: readonly string[];
  readonly path: RegExp;
}

const SOURCE = String.raw`\.[a-z0-9]+`;

/** The kinds of files by the conventions of their paths, in whatever language. */
export const FILE_KINDS: readonly KindRule[] = [
  {
    kind: 'test',
    words: ['test', 'spec', 'fixture', 'mock', 'unittest'],
    path: new RegExp(
      [
        String.raw`(^|/)(tests?|__tests__|__mocks__|specs?|testing|testdata|test[-_]?(data|utils?|support|helpers?|fixtures?|suites?|cases?)|fixtures?|e2e|integration[-_]?tests?|unit[-_]?tests?|[a-z0-9]+[-_]tests?)/`,
        String.raw`(^|/)src/[a-z]*test/`,
        String.raw`(^|/)(test|spec)[-_][^/]*$`,
        String.raw`[-_.](test|tests|spec|specs|unittest|e2e)${SOURCE}$`,
        String.raw`(^|/)(conftest|tests?|testing|testutils?|test[-_]?helpers?|spec[-_]?helpers?)${SOURCE}$`,
      ].join('|'),
      'i',
    ),
  },
  {
    kind: 'test',
    words: ['test', 'spec'],
    // by capitals only: `latest.java` is no test
    path: /[a-z0-9](Tests?|TestCase|TestBase|Spec|Specs|Suite|IT)\.[a-z]+$|(^|\/)[A-Z]\w*(Tests|Specs)\/|(^|\/)Tests?\//,
  },
  {
    kind: 'example',
    words: ['example', 'sample', 'demo', 'tutorial'],
    path: /(^|\/)(_?examples?|samples?|demos?|tutorials?|playgrounds?|quickstarts?|cookbook|docs?_src|sandbox)(\/|[-_.][^/]*\/)|(^|\/)(example|demo|sample)s?([-_][^/]*)?\.[a-z0-9]+$/i,
  },
  {
    kind: 'documentation',
    words: ['documentation', 'docs', 'readme', 'changelog', 'guide'],
    path: /(^|\/)(docs?|documentation|website|site|guides?|changelogs?|wiki)\/|\.(md|mdx|markdown|rst|adoc|asciidoc|txt|texi|textile|rdoc|pod|html?)$|(^|\/)(readme|changelog|changes|history|license|copying|authors|contributing|notice|news|todo)(\.[a-z]+)?$/i,
  },
  {
    kind: 'benchmark',
    words: ['benchmark', 'bench', 'performance'],
    path: /(^|\/)(bench|benches|benchmarks?|perf|microbenchmarks?)\/|[-_.](bench|benchmark)\.[a-z0-9]+$|(Bench|Benchmark)\.[a-z]+$/i,
  },
  {
    kind: 'locale',
    words: ['locale', 'translation', 'language', 'i18n', 'internationalization', 'localization'],
    path: /(^|\/)(locales?|i18n|l10n|translations?|lang|langs)\/[^/]*\.[a-z]+$|(^|\/)locales?\/|\.(po|pot|strings|resx|xlf|arb)$/i,
  },
  {
    kind: 'generated',
    words: ['generated'],
    path: /(^|\/)(generated|gen|autogen|codegen-output|__generated__|vendor|vendored|third[-_]?party|external|deps)\/|[-_.](generated|gen|autogen)\.[a-z0-9]+$/i,
  },
  { kind: 'declaration', words: ['declaration', 'typing', 'stub'], path: /\.d\.[cm]?ts$|\.pyi$|\.flow$|\.js\.flow$/ },
  {
    kind: 'legacy',
    words: ['legacy', 'compat', 'compatibility', 'deprecated', 'polyfill', 'shim'],
    path: /(^|\/)_?(legacy|compat|deprecated|polyfills?|shims?|obsolete|old)(\/|\.[a-z0-9]+$)/i,
  },
  {
    kind: 're-export',
    words: [],
    path: /(^|\/)(__init__\.py|package-info\.java|module-info\.java|(index|mod|main)\.[cm]?[jt]sx?|all\.[a-z]+)$/,
  },
  {
    kind: 'data',
    words: ['json', 'yaml', 'toml', 'xml', 'configuration', 'workflow', 'ci', 'css', 'style', 'dockerfile', 'makefile'],
    path: /\.(json5?|jsonc|ya?ml|toml|ini|cfg|conf|xml|csv|tsv|svg|css|scss|less|lock|sum|mod|gradle|properties|plist|podspec|gemspec|nix|cmake|bzl|bazel|mk|am|ac|m4|in|sln|csproj|props|targets|snap|editorconfig|gitignore|gitattributes|npmignore)$|(^|\/)(\.github|\.circleci|\.vscode|\.idea|ci|\.ci)\/|(^|\/)(Dockerfile|Makefile|Jenkinsfile|Rakefile|Gemfile|BUILD|WORKSPACE|CMakeLists\.txt)$/i,
  },
  {
    kind: 'amalgamation',
    words: ['amalgamation'],
    path: /(^|\/)(single_include|amalgamation|amalgamated|bundle|bundled|dist|build|out)\//,
  },
  {
    kind: 'tooling',
    words: ['script', 'tool', 'build', 'release'],
    path: /(^|\/)(scripts?|tools?|hack|misc|contrib|\.?config|support)\//,
  },
];

/** The kinds that a path says a file is of; none for ordinary code. */
export function kindsOf(path: string): FileKind[] {
  return [...new Set(FILE_KINDS.filter((rule) => rule.path.test(path)).map(({ kind }) => kind))];
}
