import type { ReportedTest } from '../../../domain/release/quality/report.ts';
import { readXml } from './xml.ts';

/** Characters of a message that are kept. */
const MESSAGE = 2_000;

/** Reads a JUnit report, as vitest, pytest, Maven and others write it. Throws an `Error` for another file. */
export function parseJUnit(text: string): ReportedTest[] {
  const tests: ReportedTest[] = [];
  let isReport = false;
  let suite = '';
  let current: { -readonly [Field in keyof ReportedTest]: ReportedTest[Field] } | null = null;
  readXml(text, {
    open({ name, attributes, parents }) {
      if (parents.length === 0) isReport = name === 'testsuites' || name === 'testsuite';
      if (name === 'testsuite') suite = attributes['name'] ?? '';
      if (name === 'testcase') {
        const seconds = Number.parseFloat(attributes['time'] ?? '');
        const owner = attributes['classname'] || attributes['file'] || suite;
        current = {
          name: owner === '' ? (attributes['name'] ?? '') : `${owner} > ${attributes['name'] ?? ''}`,
          status: 'passed',
          durationMs: Number.isFinite(seconds) ? Math.round(seconds * 1_000) : null,
          message: null,
        };
      }
      if (current === null || parents.at(-1) !== 'testcase') return;
      if (name === 'skipped') current.status = 'skipped';
      if (name === 'failure' || name === 'error') {
        current.status = 'failed';
        current.message = (attributes['message'] ?? '').slice(0, MESSAGE);
      }
    },
    close(name, content) {
      if (current === null) return;
      if ((name === 'failure' || name === 'error') && current.message === '') {
        current.message = content.trim().slice(0, MESSAGE);
      }
      if (name !== 'testcase') return;
      tests.push(current);
      current = null;
    },
  });
  if (!isReport) throw new Error('it is no JUnit report: its root is neither testsuites nor testsuite');
  return tests;
}
