import { describe, expect, test } from 'vitest';
import { kindsOf } from '../../../domain/git/file-kind.ts';
import { answersInThread } from '../../support/answer-in-thread.ts';

describe('the kind of a file', () => {
  test.each([
    ['src/parser.ts', []],
    ['test/parser.ts', ['test']],
    ['src/parser.test.ts', ['test']],
    ['pkg/parser_test.go', ['test']],
    ['tests/test_parser.py', ['test']],
    ['lib/test_parser.rb', ['test']],
    ['src/test_client.rs', []],
    ['src/test-runner.go', []],
    ['parallel/test-http-agent.js', ['test']],
    ['src/test/java/org/ParserTest.java', ['test']],
    ['Tests/SessionTests.swift', ['test']],
    ['spec/parser_spec.rb', ['test']],
    ['src/main/java/Latest.java', []],
    ['src/contest.py', []],
    ['src/attestation/sign.go', []],
    ['src/inspector.rs', []],
    ['examples/basic/main.rs', ['example']],
    ['src/resample.py', []],
    ['docs/guide.md', ['documentation']],
    ['README.md', ['documentation']],
    ['LICENSE', ['documentation']],
    ['src/history.ts', []],
    ['src/license.go', []],
    ['benches/parse.rs', ['benchmark']],
    ['src/locales/de.ts', ['locale']],
    ['django/conf/locale/de/formats.py', ['locale']],
    ['src/i18n/translate.ts', []],
    ['java/lang/Reflect.java', []],
    ['src/types.d.ts', ['declaration']],
    ['src/_compat/py2.py', ['legacy']],
    ['src/index.ts', ['re-export']],
    ['pkg/__init__.py', ['re-export']],
    ['src/main.ts', []],
    ['package.json', ['data']],
    ['.github/workflows/ci.yml', ['data']],
    ['dist/bundle.js', ['output']],
    ['src/build/plugin.ts', []],
    ['scripts/release.sh', ['tooling']],
    ['src/tools/format.ts', []],
    ['docs/tests/index.js', ['test', 'documentation', 're-export']],
  ])('%s: %j', (path, kinds) => {
    expect(kindsOf(path)).toEqual(kinds);
  });

  test('of the longest path is found', async () => {
    const pieces = ['locale/', 'a/', 'test-', 'Aa', '/', '.a', '-'];
    const calls = pieces.map((piece) => [piece.repeat(4_096 / piece.length)]);
    const module = new URL('../../../domain/git/file-kind.ts', import.meta.url);
    expect(await answersInThread(module, 'kindsOf', calls)).toHaveLength(pieces.length);
  });
});
