import { describe, expect, test } from 'vitest';
import { GRAMMARS } from '../../../activities/index/analysis/grammar-files.ts';
import { grammarOf } from '../../../activities/index/analysis/grammars.ts';
import { languageOf } from '../../../activities/index/analysis/language.ts';

describe('the language of a file', () => {
  test.each([
    ['src/a.ts', '', 'TypeScript'],
    ['src/a.d.ts', '', 'TypeScript'],
    ['src/a.tsx', '', 'TSX'],
    ['translations/de.ts', '<?xml version="1.0"?>', 'XML'],
    ['a.mjs', '', 'JavaScript'],
    ['src/lib.rs', '', 'Rust'],
    ['README.md', '', 'Markdown'],
    ['a.h', 'int f(void);\n', 'C'],
    ['a.h', '#pragma once\nnamespace a {\n', 'C++'],
    ['a.h', '@interface A : NSObject\n', 'Objective-C'],
    ['a.m', '#import "A.h"\n', 'Objective-C'],
    ['a.cs', '', 'C#'],
    ['query.sql', '', 'SQL'],
    ['index.php', '<?php', 'PHP'],
    ['view.blade.php', '', 'Blade'],
    ['Makefile', '', 'Makefile'],
    ['Dockerfile', '', 'Dockerfile'],
    ['Gemfile', '', 'Ruby'],
    ['CMakeLists.txt', '', 'CMake'],
    ['A.PY', '', 'Python'],
    ['bin/tool', '#!/usr/bin/env python3.11\n', 'Python'],
    ['bin/tool', '#!/bin/bash -e\n', 'Shell'],
    ['bin/tool', '#!/usr/bin/env -S node --no-warnings\n', 'JavaScript'],
    ['bin/tool', 'just text', null],
    ['a.unheard-of', '', null],
    ['a.constructor', '', null],
    ['', '', null],
  ])('%s beginning with %j is %s', (path, text, language) => {
    expect(languageOf(path, text)).toBe(language);
  });

  test.each([
    ['TypeScript', 'typescript'],
    ['C++', 'cpp'],
    ['C#', 'c-sharp'],
    ['Shell', 'bash'],
  ])('%s is parsed by the grammar %s', async (language, grammar) => {
    expect(GRAMMARS).toContain(grammar);
    expect(await grammarOf(language)).not.toBeNull();
  });

  test('a language without grammar has none', async () => {
    expect(await grammarOf('Markdown')).toBeNull();
    expect(await grammarOf('constructor')).toBeNull();
  });
});
