/** The kind of a file that is not ordinary code. */
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
  | 'output'
  | 'tooling';

interface KindRule {
  readonly kind: FileKind;
  /** Words of a query that ask for this kind. */
  readonly words: readonly string[];
  /** At least one of these matches the path. */
  readonly paths: readonly RegExp[];
}

/** The kinds of files, by the path conventions of all languages. */
export const FILE_KINDS: readonly KindRule[] = [
  {
    kind: 'test',
    words: ['test', 'testing', 'spec', 'fixture', 'mock', 'unittest'],
    paths: [
      /(^|\/)(tests?|__tests__|__mocks__|specs?|testing|testdata|fixtures?|e2e)\//i,
      /(^|\/)(test[-_]?(data|utils?|support|helpers?|suites?|cases?)|[a-z0-9]+[-_]tests?)\//i,
      /(^|\/)src\/[a-z]*test\//i,
      // a prefix only in languages where that is the convention: `test_client.rs` is a client
      /(^|\/)test_[^/]*\.(py|rb|c|cc|cpp|cxx|h|hh|hpp|lua|jl|nim|r|sh|bash|pl|php|d|exs|f90)$/i,
      /(^|\/)test-[^/]*\.([cm]?js|ts|r|c|cc|cpp|h|el|sh|bash|lua|py|php)$/i,
      /[-_.](tests?|specs?|unittest|e2e)\.[a-z0-9]+$/i,
      /(^|\/)(conftest|tests?|testing|testutils?|(test|spec)[-_]?helpers?)\.[a-z0-9]+$/i,
      // only with a capital letter: `latest.java` is no test
      /[a-z0-9](Tests?|TestCase|TestBase|Specs?|Suite|IT)\.[a-z]+$/,
      /(^|\/)[A-Z]\w*(Tests|Specs)\//,
    ],
  },
  {
    kind: 'example',
    words: ['example', 'sample', 'demo', 'tutorial'],
    paths: [
      /(^|\/)_?(examples?|samples?|demos?|tutorials?|playgrounds?|quickstarts?|cookbook|docs?_src)([-_.][^/]*)?\//i,
      /(^|\/)(example|demo|sample)s?([-_][^/]*)?\.[a-z0-9]+$/i,
    ],
  },
  {
    kind: 'documentation',
    words: ['documentation', 'docs', 'readme', 'changelog', 'guide'],
    paths: [
      /(^|\/)(docs?|documentation|website|guides?|changelogs?|wiki)\//i,
      /\.(md|mdx|markdown|rst|adoc|asciidoc|txt|texi|textile|rdoc|pod|html?)$/i,
      /(^|\/)(readme|changelog|changes|history|licen[cs]e|copying|authors|contributing|notice|news|todo)$/i,
    ],
  },
  {
    kind: 'benchmark',
    words: ['benchmark', 'bench', 'performance'],
    paths: [
      /(^|\/)(bench|benches|benchmarks?|perf|microbenchmarks?)\//i,
      /[-_.](bench|benchmark)\.[a-z0-9]+$/i,
      /[a-z0-9](Bench|Benchmark)\.[a-z]+$/,
    ],
  },
  {
    kind: 'locale',
    words: ['locale', 'translation', 'language', 'i18n', 'internationalization', 'localization'],
    paths: [
      /(^|\/)(locales?|i18n|l10n|translations?|langs?)\/(.*\/)?[a-z]{2}([-_][a-z]{2,4})?(\.[a-z]+$|\/)/i,
      /\.(po|pot|strings|resx|xlf|arb)$/i,
    ],
  },
  {
    kind: 'generated',
    words: ['generated', 'vendor'],
    paths: [
      /(^|\/)(generated|gen|autogen|__generated__|vendor|vendored|third[-_]?party|external)\//i,
      /[-_.](generated|gen|autogen)\.[a-z0-9]+$/i,
    ],
  },
  { kind: 'declaration', words: ['declaration', 'typing', 'stub'], paths: [/\.d\.[cm]?ts$|\.pyi$|\.flow$/] },
  {
    kind: 'legacy',
    words: ['legacy', 'compat', 'compatibility', 'deprecated', 'polyfill', 'shim'],
    paths: [/(^|\/)_?(legacy|compat|deprecated|polyfills?|shims?|obsolete|old)(\/|\.[a-z0-9]+$)/i],
  },
  {
    kind: 're-export',
    words: [],
    paths: [/(^|\/)(__init__\.py|(package|module)-info\.java|(index|mod)\.[cm]?[jt]sx?)$/],
  },
  {
    kind: 'data',
    words: ['json', 'yaml', 'toml', 'xml', 'css', 'style', 'workflow', 'ci', 'dockerfile', 'makefile', 'cmake'],
    paths: [
      /\.(json5?|jsonc|ya?ml|toml|ini|cfg|conf|properties|plist|xml|csv|tsv|svg|css|scss|less|snap)$/i,
      /\.(lock|sum|mod|gradle|podspec|gemspec|nix|cmake|bzl|bazel|mk|am|ac|m4|in|sln|csproj|props|targets)$/i,
      /(^|\/)(\.github|\.circleci|\.vscode|\.idea|\.?ci)\//i,
      /(^|\/)(Dockerfile|Makefile|Jenkinsfile|Rakefile|Gemfile|BUILD|WORKSPACE|CMakeLists\.txt|\.[^/.]*(ignore|rc|config))$/i,
    ],
  },
  {
    kind: 'output',
    words: ['bundle', 'amalgamation', 'dist'],
    paths: [/(^|\/)(single_include|amalgamation)\//, /^(dist|out|build)\//],
  },
  { kind: 'tooling', words: ['script', 'tool', 'build', 'release'], paths: [/^(scripts?|tools?|hack)\//] },
];

/** The kinds of a file by its path; none for ordinary code. */
export function kindsOf(path: string): FileKind[] {
  return FILE_KINDS.filter(({ paths }) => paths.some((pattern) => pattern.test(path))).map(({ kind }) => kind);
}
