import { isMap, isNode, isScalar, isSeq, parseDocument, type Document, type YAMLSeq } from 'yaml';

/** The texts of two contracts. */
export interface MovedChanges {
  readonly from: string;
  readonly to: string;
}

/**
 * Moves changes, with all that is written about them, from the text of a contract to that of another one. The rest of both
 * stays as it is, comments too. Without a text of the other one, it is made for this version.
 */
export function moveChanges(
  from: string,
  to: { readonly text: string | null; readonly version: string },
  ids: readonly string[],
): MovedChanges {
  const source = parseDocument(from);
  const listed = changesOf(source);
  const moved = listed.items.filter((item) => ids.includes(idOf(item) ?? ''));
  const target = to.text === null ? emptyContract(source, to.version) : parseDocument(to.text);
  const goal = changesOf(target);
  const known = new Set(goal.items.map(idOf));
  for (const item of moved) {
    if (isNode(item) && !known.has(idOf(item))) goal.items.push(item.clone());
  }
  listed.items = listed.items.filter((item) => !moved.includes(item));
  return { from: print(source, from), to: print(target, to.text ?? from) };
}

/** The document in the style of a text. */
function print(document: Document, text: string): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: /[{[] /.test(text) });
}

function changesOf(document: Document): YAMLSeq {
  const changes = document.get('changes');
  if (!isSeq(changes)) throw new TypeError('a contract has a list of changes');
  return changes;
}

function idOf(change: unknown): string | undefined {
  if (!isMap(change)) return undefined;
  const id: unknown = change.get('id') ?? change.get('change_id');
  return typeof id === 'string' ? id : isScalar(id) ? String(id.value) : undefined;
}

/** A contract without changes, with the template of the other one. */
function emptyContract(source: Document, version: string): Document {
  const template: unknown = source.get('pipeline_template');
  const text = `version: ${version}\n${typeof template === 'string' ? `pipeline_template: ${template}\n` : ''}changes: []\n`;
  const made = parseDocument(text);
  changesOf(made).flow = false;
  return made;
}
