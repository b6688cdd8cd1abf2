import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  operatorTerms,
  queryStems,
  searchTerms,
  spaceIdentifiers,
  splitIdentifier,
  stems,
} from '../../../../domain/catalog/search/identifiers.ts';

const word = fc.stringMatching(/^[a-z]{2,8}$/);
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

describe('identifiers', () => {
  test.each([
    ['getUserName', ['get', 'user', 'name']],
    ['HTTPServer', ['http', 'server']],
    ['parseHTTPResponse2', ['parse', 'http', 'response', '2']],
    ['MAX_BATCH_SIZE', ['max', 'batch', 'size']],
    ['__init__', ['init']],
    ['utf8', ['utf', '8']],
    ['readFile', ['read', 'file']],
    ['x', ['x']],
    ['größeÄndern', ['größe', 'ändern']],
    ['数据库', ['数据库']],
  ])('%s is %j', (identifier, words) => {
    expect(splitIdentifier(identifier)).toEqual(words);
  });

  test.each([
    ['处理用户登录请求', '用户登录'],
    ['// データベース接続の初期化に失敗しました', 'データベース'],
    ['ฟังก์ชันนี้คำนวณภาษีมูลค่าเพิ่ม', 'ภาษี'],
    ['const 用户Name = getUser用户(id)', '用户'],
    ['उपयोगकर्ता का नाम हिन्दी में', 'हिन्दी'],
  ])('the words of a text without spaces are found: %s', (text, query) => {
    const asked = queryStems(query);
    expect(asked.length).toBeGreaterThan(0);
    for (const term of asked) expect(stems(text)).toContain(term);
    for (const term of stems(text)) expect(term).toMatch(/^[\p{L}\p{N}]+$/u);
  });

  test('a text without spaces may be longer than any identifier', () => {
    const sentence = '处理用户登录请求的函数在失败时记录日志';
    expect(stems(sentence.repeat(200)).filter((term) => term === '用户')).toHaveLength(200);
    expect(stems('ไม่')).not.toEqual(stems('ไม้'));
  });

  test.prop([fc.array(word, { minLength: 2, maxLength: 5 })])(
    'the spelling of an identifier does not change its terms',
    (words) => {
      const camel = words.map((w, i) => (i === 0 ? w : capitalized(w))).join('');
      const expected = stems(words.join('_'));
      for (const spelled of [camel, words.map(capitalized).join(''), words.join('_').toUpperCase()]) {
        expect(stems(spelled)).toEqual(expected);
      }
      expect(expected).toContain(stems(words.join(''))[0]);
    },
  );

  test.prop([fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))])(
    'terms contain only letters and digits',
    (text) => {
      for (const term of stems(text)) {
        expect(term).toMatch(/^[\p{L}\p{N}\p{M}]+$/u);
        expect(term.length).toBeLessThanOrEqual(64);
      }
    },
  );

  test.prop([fc.array(word, { minLength: 1, maxLength: 6 })])(
    'a question has the terms of the identifiers that it names',
    (words) => {
      const inDocument = new Set(stems(`function ${words.join('_')}() {}`));
      for (const term of queryStems(words.map(capitalized).join(''))) expect(inDocument).toContain(term);
    },
  );

  test('stop words are removed from a question unless it has no other words', () => {
    expect(queryStems('How do I read a file from the disk?')).toEqual(['read', 'file', 'disk']);
    expect(queryStems('where is it')).toEqual(['where', 'is', 'it']);
    expect(queryStems('getUserName getUserName')).toEqual(stems('getUserName'));
    expect(queryStems('')).toEqual([]);
  });

  test('related words have the same stem', () => {
    expect(stems('parsing')[0]).toBe(stems('parser parsed')[1]);
    expect(stems('retries')).toEqual(stems('retry'));
  });

  test.prop([
    fc.array(
      fc.oneof(
        word,
        fc.constantFrom('getUserNames', '=>', '>>=', '//', '_', '数据库连接', 'e\u0301', 'a'.repeat(300), '\n'),
      ),
    ),
  ])('the search terms of a chunk are its stems and those of its operators', (parts) => {
    const text = parts.join(' ');
    expect(searchTerms(text)).toBe([...stems(text), ...operatorTerms(text)].join(' '));
  });

  test('the search terms of a chunk name each word and operator', () => {
    expect(searchTerms('getUserNames(a) => `b` ?? c => _')).toBe('get user name getusernam a b c op3d3e op3f3f');
  });

  test('a hash is not a term', () => {
    expect(stems(`sha ${'0a'.repeat(40)} end`)).not.toContain('0a'.repeat(40));
    expect(stems('f'.repeat(65))).toEqual([]);
  });

  test('spacing only changes word boundaries', () => {
    expect(spaceIdentifiers('new HTTPServer(getUserName, x_y, 42)')).toBe('new HTTP Server(get User Name, x_y, 42)');
  });

  test.prop([
    fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'B', 'c', '_', 'D', '1', ' ', 'é') }),
      fc.string({ unit: 'grapheme' }),
    ),
  ])(
    'spacing is where a lower-case letter or digit meets a capital, and before the last of several capitals',
    (text) => {
      const meetings = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g;
      expect(spaceIdentifiers(text)).toBe(text.replaceAll(meetings, ' '));
    },
  );

  test.prop([fc.string({ unit: fc.constantFrom('a', 'B', '_', '1', ' ', '-') })])(
    'identifiers are letters and digits, and what underscores join',
    (text) => {
      const identifiers = text.match(/[a-zA-Z0-9]+(?:_+[a-zA-Z0-9]+)*/g) ?? [];
      expect(stems(text)).toEqual(identifiers.flatMap((identifier) => stems(identifier)));
      // the slower scan for other scripts has the same result
      expect(stems(`${text} é`)).toEqual([...stems(text), 'é']);
    },
  );

  test.prop([fc.string()])('spacing only adds spaces', (text) => {
    expect(spaceIdentifiers(text).replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });
});
