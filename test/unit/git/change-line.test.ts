import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { parseChangeLine } from '../../../domain/git/change-line.ts';
import { encodeChange, encodeChangeset, needsFile } from '../../../domain/git/encode-change-line.ts';
import type { Change } from '../../../domain/git/change.ts';

const ID = 'work/acme/api';
const UNDECLARED = { language: null, handwritten: false };
const BLOB = { oid: 'a'.repeat(40), mode: '100644' };

function added(content: Uint8Array | string, path = 'src/a.ts'): Change {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { op: 'add', path, blob: BLOB, size: bytes.length, content: bytes };
}

describe('encodeChange', () => {
  test('writes both sets of field names', () => {
    expect(encodeChange(ID, added('{"k":2}\n', 'conf.json'), { contentHash: 'f00' })).toEqual({
      repo: 'acme/api',
      repo_id: ID,
      op: 'add',
      path: 'conf.json',
      blob: BLOB.oid,
      mode: '100644',
      size: 8,
      size_bytes: 8,
      mime: 'application/json',
      mime_type: 'application/json',
      charset: 'utf-8',
      content_hash: 'f00',
      content: '{"k":2}\n',
    });
  });

  test.each([
    ['text of 10,000 bytes', 'a'.repeat(10_000), ['content']],
    ['text of 10,001 bytes', 'a'.repeat(10_001), ['content_base64']],
    ['text of 100,000 bytes', 'a'.repeat(100_000), ['content_base64']],
    ['text of 100,001 bytes', 'a'.repeat(100_001), ['content_ref']],
    ['5,000 characters of two bytes', 'é'.repeat(5_000), ['content']],
    ['no text', new Uint8Array([0xc3, 0x28]), ['content_base64']],
    ['nothing', '', ['content']],
  ])('%s', (_, content, expected) => {
    const change = added(content);
    const line = encodeChange(ID, change, { contentRef: '/spool/x' });
    expect(Object.keys(line).filter((key) => /^content(_base64|_ref)?$/.test(key))).toEqual(expected);
    expect(needsFile(change.op === 'delete' ? 0 : change.size)).toBe(expected[0] === 'content_ref');
  });

  test('renames, deletions, skipped files', () => {
    const old = { path: 'b', pathBytes: 'Yv8=', oid: 'c'.repeat(40), mode: '100755' };
    expect(encodeChange(ID, { op: 'delete', path: 'b', pathBytes: 'Yv8=', old })).toEqual({
      repo: 'acme/api',
      repo_id: ID,
      op: 'delete',
      path: 'b',
      path_base64: 'Yv8=',
      old_blob: old.oid,
      old_mode: '100755',
    });
    expect(
      encodeChange(ID, {
        op: 'rename',
        path: 'x.png',
        blob: BLOB,
        old: { ...old, skip: 'binary' },
        size: 9,
        content: null,
        skip: 'binary',
      }),
    ).toEqual({
      repo: 'acme/api',
      repo_id: ID,
      op: 'rename',
      path: 'x.png',
      old_path: 'b',
      old_path_base64: 'Yv8=',
      old_blob: old.oid,
      old_mode: '100755',
      old_skip_reason: 'binary',
      blob: BLOB.oid,
      mode: '100644',
      size: 9,
      size_bytes: 9,
      mime: 'image/png',
      mime_type: 'image/png',
      skip_index: true,
      skip_reason: 'binary',
    });
  });
});

describe('parseChangeLine', () => {
  test.each([
    // mgit's releases
    [
      '{"repo":"alpha","op":"modify","path":"conf.json","content":"{\\"k\\":2}\\n","content_hash":"e0f7674315da150153a3c2b57df7f2aaf288ecb910fb90647f1c7b79dd854946","size_bytes":8,"mime_type":"application/json","charset":"utf-8","is_truncated":false,"line_count":1}',
      {
        op: 'modify',
        repo: 'alpha',
        repoId: null,
        size: 8,
        content: { kind: 'bytes' },
        contentHash: 'e0f7674315da150153a3c2b57df7f2aaf288ecb910fb90647f1c7b79dd854946',
      },
    ],
    ['{"repo":"alpha","op":"delete","path":"del.txt"}', { op: 'delete', content: { kind: 'none' }, old: null }],
    [
      '{"repo":"alpha","op":"add","path":"bin.dat","content":null,"content_hash":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size_bytes":3,"mime_type":"application/octet-stream","charset":null,"is_truncated":false,"line_count":null}',
      { op: 'add', size: 3, content: { kind: 'none' }, file: { skip: 'binary' } },
    ],
    // the formats of mgit and elysiactl
    [
      '{"repo":"A","op":"modify","path":"src/auth.py","content_base64":"aW1wb3J0","size":6,"mime":"text/x-python","line":1}',
      { op: 'modify', size: 6, content: { kind: 'bytes', bytes: new TextEncoder().encode('import') } },
    ],
    [
      '{"repo":"A","op":"add","path":"m.pdf","content_ref":"/abs/m.pdf","size":5242880,"skip_index":true}',
      { content: { kind: 'file', path: '/abs/m.pdf' }, size: 5_242_880, file: { skip: 'binary' } },
    ],
    ['{"path":"a.py"}', { op: 'modify', repo: null, content: { kind: 'none' }, file: { path: 'a.py', skip: null } }],
    ['src/[id].tsx', { op: 'modify', repo: null, content: { kind: 'none' }, file: { path: 'src/[id].tsx' } }],
    [
      '{"repo":"A","new_changeset":{"commit":"abc123","branch":"main"}}',
      { kind: 'changeset', commit: 'abc123', parent: null, fromNothing: false, tree: null, timestamp: null },
    ],
    ['{"repo":"empty","new_changeset":{"branch":"main"}}', { kind: 'changeset', commit: null, branch: 'main' }],
  ])('%s', (text, expected) => {
    expect(parseChangeLine(text, 1)).toMatchObject(expected);
  });

  test('empty lines are skipped', () => {
    expect(['', '\n', '  \r\n'].map((text) => parseChangeLine(text, 1))).toEqual([null, null, null]);
  });

  test.each([
    ['{"repo":"A","op":"add"', /^Line 7 of the change stream: not JSON/],
    ['{"repo":"A","op":"add"}', /^Line 7 .*path is missing/],
    ['{"op":"upsert","path":"a"}', /^Line 7 .*op is "upsert"/],
    ['{"path":7}', /^Line 7 .*path is not a string/],
    ['{"path":""}', /^Line 7 .*path is empty/],
    ['{"path":"../../etc/passwd"}', /^Line 7 .*\.\./],
    ['{"path":"/etc/passwd"}', /^Line 7 .*path is absolute/],
    [String.raw`{"path":"C:\\a.ts"}`, /^Line 7 .*path is absolute/],
    ['{"path":"a","content_hash":"x"}', /^Line 7 .*content_hash is not a SHA-256/],
    [String.raw`{"path":"a","content":"\ud800"}`, /^Line 7 .*content contains half of a surrogate pair/],
    ['{"path":"a\\u0000b"}', /^Line 7 .*NUL/],
    ['{"path":"a","content":"x","content_ref":"/x"}', /^Line 7 .*only one of/],
    ['{"path":"a","content_ref":"x/y"}', /^Line 7 .*absolute/],
    ['{"path":"a","content_base64":"%%%"}', /^Line 7 .*base64/],
    ['{"path":"a","size":-1}', /^Line 7 .*size/],
    ['{"path":"a","blob":"xyz"}', /^Line 7 .*blob/],
    ['{"path":"a","mode":"rw"}', /^Line 7 .*mode/],
    ['{"path":"a","op":"rename"}', /^Line 7 .*old_path/],
    ['{"path":"a","skip_index":true,"skip_reason":"bored"}', /^Line 7 .*skip_reason/],
    ['{"new_changeset":[]}', /^Line 7 .*new_changeset/],
    ['{"new_changeset":{"commit":"--all"}}', /^Line 7 .*commit/],
  ])('refuses %s', (text, message) => {
    let failure: unknown;
    try {
      parseChangeLine(text, 7);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ type: 'InvalidInput' });
    expect((failure as Error).message).toMatch(message);
  });

  const path = fc
    .array(
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 5 })
        .filter((part) => !/^\.{1,2}$|[/\0\ud800-\udfff]/.test(part)),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((parts) => parts.join('/'))
    .filter((joined) => !/^[a-z]:\\/i.test(joined));
  const oid = fc.stringMatching(/^[0-9a-f]{40}$/);
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
  );

  test.prop([
    path,
    path,
    oid,
    oid,
    content,
    fc.constantFrom('add', 'modify', 'rename', 'delete'),
    fc.constantFrom({}, { language: 'C++' }, { handwritten: true } as const),
  ])('reads what encodeChange writes', (now, before, newOid, oldOid, bytes, op, declared) => {
    const old = { path: op === 'rename' ? before : now, oid: oldOid, mode: '100644' };
    const change: Change =
      op === 'delete'
        ? { op, path: now, old }
        : {
            op,
            path: now,
            blob: { oid: newOid, mode: '100755' },
            ...(op === 'add' ? {} : { old }),
            size: bytes.length,
            content: bytes,
            ...declared,
          };
    const line = parseChangeLine(JSON.stringify(encodeChange(ID, change)), 3);
    expect(line).toEqual({
      kind: 'file',
      line: 3,
      repo: 'acme/api',
      repoId: ID,
      op,
      file:
        op === 'delete'
          ? { path: now, oid: null, mode: null, skip: null }
          : { path: now, oid: newOid, mode: '100755', skip: null },
      old: op === 'add' ? null : { ...old, skip: null },
      size: op === 'delete' ? null : bytes.length,
      contentHash: null,
      ...(op === 'delete' ? UNDECLARED : { ...UNDECLARED, ...declared }),
      content: op === 'delete' ? { kind: 'none' } : { kind: 'bytes', bytes: Uint8Array.from(bytes) },
    });
  });

  test('reads what encodeChangeset writes', () => {
    const to = { commit: 'a'.repeat(64), tree: 'b'.repeat(64), branch: null, timestamp: '2026-01-01T00:00:00.000Z' };
    const from = { ...to, commit: 'c'.repeat(64), branch: 'main' };
    expect(parseChangeLine(JSON.stringify(encodeChangeset(ID, from, to)), 1)).toEqual({
      kind: 'changeset',
      line: 1,
      repo: 'acme/api',
      repoId: ID,
      commit: to.commit,
      parent: from.commit,
      fromNothing: false,
      branch: null,
      tree: to.tree,
      timestamp: to.timestamp,
    });
    expect(parseChangeLine(JSON.stringify(encodeChangeset(ID, null, to)), 1)).toMatchObject({
      parent: null,
      fromNothing: true,
    });
  });
});
