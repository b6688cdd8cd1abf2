const UTF_8 = new TextDecoder('utf-8', { fatal: true });
const WESTERN = new TextDecoder('windows-1252');

/**
 * The text of a file: UTF-8; UTF-16 or UTF-32 with a byte order mark; otherwise windows-1252. Without the mark. The
 * lines are those of the file.
 */
export function decodeText(content: Uint8Array): string {
  const wide = decodeWide(content);
  if (wide !== null) return wide;
  try {
    return UTF_8.decode(content);
  } catch {
    return WESTERN.decode(content);
  }
}

/** Encodings whose characters have two or four bytes, with their byte order marks; the longer mark first. */
const WIDE: readonly {
  readonly mark: readonly number[];
  readonly decode: (content: Uint8Array) => string | null;
}[] = [
  { mark: [0xff, 0xfe, 0, 0], decode: (content) => decodeUtf32(content, true) },
  { mark: [0, 0, 0xfe, 0xff], decode: (content) => decodeUtf32(content, false) },
  { mark: [0xff, 0xfe], decode: (content) => decodeUtf16(content, 'utf-16le') },
  { mark: [0xfe, 0xff], decode: (content) => decodeUtf16(content, 'utf-16be') },
];

/**
 * The text of content in UTF-16 or UTF-32 that begins with a byte order mark; null for anything else, also when a
 * character is malformed or NUL: then it is binary data that begins with the same bytes.
 */
export function decodeWide(content: Uint8Array): string | null {
  for (const { mark, decode } of WIDE) {
    if (!mark.every((byte, at) => content[at] === byte)) continue;
    const text = decode(content);
    if (text !== null && !text.includes('\0')) return text;
  }
  return null;
}

/** The bytes of a text in each encoding with a byte order mark that {@link decodeText} reads. */
export function encodeMarked(text: string): Uint8Array[] {
  const marked = `\uFEFF${text}`;
  const points = Array.from(marked, (character) => character.codePointAt(0) ?? 0);
  const units = Array.from({ length: marked.length }, (_, at) => marked.charCodeAt(at));
  return [
    new TextEncoder().encode(marked),
    ...[true, false].flatMap((little) => [written(units, 2, little), written(points, 4, little)]),
  ];
}

function written(values: readonly number[], size: 2 | 4, little: boolean): Uint8Array {
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) {
    if (size === 2) view.setUint16(at * size, value, little);
    else view.setUint32(at * size, value, little);
  }
  return bytes;
}

function decodeUtf16(content: Uint8Array, encoding: 'utf-16le' | 'utf-16be'): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(content);
  } catch {
    return null;
  }
}

/** No decoder of the platform reads UTF-32. */
function decodeUtf32(content: Uint8Array, little: boolean): string | null {
  if (content.length % 4 !== 0) return null;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const parts: string[] = [];
  for (let at = 4; at < content.length; at += 4) {
    const point = view.getUint32(at, little);
    if (point > 0x10_ff_ff || (point >= 0xd8_00 && point < 0xe0_00)) return null;
    parts.push(String.fromCodePoint(point));
  }
  return parts.join('');
}
