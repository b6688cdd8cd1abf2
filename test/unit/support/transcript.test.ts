import { describe, expect, test } from 'vitest';
import { mask, parseTranscript } from '../../support/release/transcript.ts';

describe('a transcript', () => {
  test('has commands of several lines, remarks, output with empty lines, errors and exit codes', () => {
    const steps = parseTranscript(
      "# first\n$ cat <<'END'\n> a\n>\n> b\nEND\n\n\n# second\n$ false\none\n\ntwo\n! no\n[1]\n",
    );
    expect(steps).toEqual([
      { command: "cat <<'END'\na\n\nb", remarks: ['# first'], output: ['END'] },
      { command: 'false', remarks: ['# second'], output: ['one', '', 'two', '! no', '[1]'] },
    ]);
  });
});

describe('the mask of a transcript', () => {
  const expected = ['  v1.5.0-rc.1   FEAT-201   pass    <time>', 'full-ci at <commit>: passed (<seconds> s)'];
  const actual = ['  v1.5.0-rc.1   FEAT-201   pass    2024-01-20 09:15', 'full-ci at 0123456789ab: passed (1.5 s)'];
  const hidden = ['2024-01-20 09:15', '0123456789ab', '1.5'];

  test('hides ids, dates and durations where they are expected', () => {
    const masked = mask(expected, actual);
    expect(masked.lines).toEqual(expected);
    expect(masked.hidden.map(({ text }) => text)).toEqual(hidden);
  });

  test('hides no other character: wherever one differs, the line stays as it is', () => {
    for (const [at, line] of actual.entries()) {
      const spans = hidden.map((text) => ({ from: line.indexOf(text), until: line.indexOf(text) + text.length }));
      const isHidden = (index: number): boolean =>
        spans.some(({ from, until }) => from >= 0 && index >= from && index < until);
      for (let index = 0; index < line.length; index++) {
        if (isHidden(index)) continue;
        for (const other of ['#', '']) {
          const changed = actual.with(at, `${line.slice(0, index)}${other}${line.slice(index + 1)}`);
          expect(mask(expected, changed).lines[at]).toBe(changed[at]);
        }
      }
    }
  });

  test.for([
    '  v1.5.0-rc.1   FEAT-201   pass    2024-01-20 9:15',
    '  v1.5.0-rc.1   FEAT-201   pass    2024-01-20 09:15:00',
    '  v1.5.0-rc.1   FEAT-201   pass    <time>',
    '  v1.5.0-rc.1   FEAT-201   pass    yesterday',
    '  v1.5.0-rc.1   FEAT-201   pass    ',
  ])('hides nothing of another form: %s', (line) => {
    expect(mask(expected.slice(0, 1), [line]).hidden).toEqual([]);
  });

  test('hides nothing on a line that is not expected, or one that is expected without a placeholder', () => {
    expect(mask(['Tag', ...expected], actual)).toEqual({ lines: actual, hidden: [] });
    expect(mask([], actual)).toEqual({ lines: actual, hidden: [] });
  });
});
