import { SaxesParser } from 'saxes';

/** An element as it starts; its parents are the names of the elements around it, the outermost first. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parents: readonly string[];
}

/** What a reader of XML is told. */
export interface XmlReader {
  /** Called when an element begins. */
  open(element: XmlElement): void;
  /** The text of an element up to its first child, when the element ends. */
  close?(name: string, text: string): void;
}

const DEEPEST = 100;

/**
 * Reads XML 1.0. Entities of a document type are not expanded. Throws an `Error` with line and column for text that is
 * not well-formed, or deeper than 100 elements.
 */
export function readXml(text: string, reader: XmlReader): void {
  const parser = new SaxesParser();
  const parents: string[] = [];
  const texts: string[] = [];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (parents.length > DEEPEST) throw new Error(`more than ${DEEPEST} elements in each other`);
    reader.open({ name, attributes, parents: [...parents] });
    parents.push(name);
    texts.push('');
  });
  const add = (more: string): void => {
    const at = texts.length - 1;
    if (at >= 0) texts[at] = (texts[at] ?? '') + more;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', ({ name }) => {
    parents.pop();
    reader.close?.(name, texts.pop() ?? '');
  });
  parser.write(text).close();
}
