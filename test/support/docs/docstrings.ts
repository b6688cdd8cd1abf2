import { type Comment, parseSync, type Span } from 'oxc-parser';

/** The docstrings of a source. */
export interface Coverage {
  /** How many declarations need one. */
  readonly total: number;
  /** Those without one, as `file:line name`. */
  readonly missing: readonly string[];
}

type Statement = ReturnType<typeof parseSync>['program']['body'][number];

interface Declared extends Span {
  readonly name: string;
}

/**
 * The docstrings of a source. One is needed for every exported function, class, constant, interface, type and enum; for
 * every method of an exported interface; for every public member of an exported class; and for every optional field of
 * an exported interface, because its default is documented nowhere else. Re-exports are documented where they are
 * declared. Throws when the source cannot be parsed.
 */
export function docstringsOf(path: string, source: string): Coverage {
  const { program, comments, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path} cannot be parsed: ${errors[0].message}`);
  const docs = comments.filter(isDocstring);
  const declared = program.body.flatMap(declarationsOf);
  const missing = declared
    .filter(({ start }) => !docs.some(({ end }) => end <= start && source.slice(end, start).trim() === ''))
    .map(({ name, start }) => `${path}:${source.slice(0, start).split('\n').length} ${name}`);
  return { total: declared.length, missing };
}

/** A block comment that begins with two stars and has words in it. */
function isDocstring({ type, value }: Comment): boolean {
  return type === 'Block' && value.startsWith('*') && /\w/.test(value);
}

/** The exports of one statement, and their members that need a docstring. */
function declarationsOf(statement: Statement): readonly Declared[] {
  const { start, end } = statement;
  if (statement.type === 'ExportDefaultDeclaration') return [{ name: 'default', start, end }];
  if (statement.type !== 'ExportNamedDeclaration' || statement.declaration === null) return [];
  const { declaration } = statement;
  switch (declaration.type) {
    case 'VariableDeclaration':
      return declaration.declarations.map(({ id }) => ({ name: id.type === 'Identifier' ? id.name : '', start, end }));
    case 'TSInterfaceDeclaration': {
      const { name } = declaration.id;
      const members = declaration.body.body.flatMap((member) => {
        if (member.type !== 'TSMethodSignature' && member.type !== 'TSPropertySignature') return [];
        return member.type === 'TSMethodSignature' || member.optional ? [member] : [];
      });
      return [{ name, start, end }, ...members.map((member) => memberOf(name, member))];
    }
    case 'ClassDeclaration': {
      const name = declaration.id?.name ?? '';
      const members = declaration.body.body.flatMap((member) => {
        if (member.type !== 'MethodDefinition' && member.type !== 'PropertyDefinition') return [];
        const isOwn = member.accessibility === 'private' || member.key.type === 'PrivateIdentifier';
        return isOwn || (member.type === 'MethodDefinition' && member.kind === 'constructor') ? [] : [member];
      });
      return [{ name, start, end }, ...members.map((member) => memberOf(name, member))];
    }
    case 'FunctionDeclaration':
      return [{ name: declaration.id?.name ?? '', start, end }];
    case 'TSTypeAliasDeclaration':
    case 'TSEnumDeclaration':
      return [{ name: declaration.id.name, start, end }];
    default:
      return [];
  }
}

function memberOf(owner: string, { key, start, end }: Span & { readonly key: { readonly type: string } }): Declared {
  const name = 'name' in key && typeof key.name === 'string' ? key.name : '';
  return { name: `${owner}.${name}`, start, end };
}
