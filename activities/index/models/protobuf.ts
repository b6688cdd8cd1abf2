/**
 * Writes one protobuf message, field by field. A tag is {@link lengthDelimited} or {@link fixed64} of a field's number.
 */
export interface MessageWriter {
  /** Writes a field of text in UTF-8. */
  string(tag: number, value: string): void;
  /** Writes a field of bytes. */
  bytes(tag: number, value: Uint8Array): void;
  /** Writes a field of a 64-bit float. */
  double(tag: number, value: number): void;
  /** Writes a nested message: everything that `write` writes. */
  message(tag: number, write: () => void): void;
  /** The message so far. */
  written(): Buffer;
}

/** One field of a message; number types other than varints are left out. */
export interface MessageField {
  readonly number: number;
  readonly value: number | Buffer;
}

/** Tag of a string, bytes or message field with a number below 16. */
export function lengthDelimited(number: number): number {
  return (number << 3) | 2;
}

/** Tag of a double field with a number below 16. */
export function fixed64(number: number): number {
  return (number << 3) | 1;
}

/** Lengths always take this many bytes, so that they can be filled in later without copying. */
const LENGTH_BYTES = 4;
const FIRST_BYTES = 1 << 16;

/** Starts a message. */
export function createMessageWriter(): MessageWriter {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES);
  let at = 0;

  function reserve(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, at + bytes));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }

  function begin(tag: number, room: number): number {
    reserve(1 + LENGTH_BYTES + room);
    buffer[at++] = tag;
    at += LENGTH_BYTES;
    return at;
  }

  function end(start: number): void {
    let length = at - start;
    for (let i = start - LENGTH_BYTES; i < start - 1; i++, length >>>= 7) buffer[i] = (length & 0x7f) | 0x80;
    buffer[start - 1] = length;
  }

  return {
    string(tag, value) {
      const start = begin(tag, 3 * value.length);
      at += buffer.write(value, at);
      end(start);
    },
    bytes(tag, value) {
      const start = begin(tag, value.length);
      buffer.set(value, at);
      at += value.length;
      end(start);
    },
    double(tag, value) {
      reserve(9);
      buffer[at++] = tag;
      at = buffer.writeDoubleLE(value, at);
    },
    message(tag, write) {
      const start = begin(tag, 0);
      write();
      end(start);
    },
    written: () => buffer.subarray(0, at),
  };
}

/** The fields of a message, in order. */
export function fieldsOf(message: Buffer): MessageField[] {
  const fields: MessageField[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = tag >>> 3;
    const kind = tag & 7;
    if (kind === 0) {
      fields.push({ number, value: varint() });
    } else if (kind === 2) {
      const length = varint();
      fields.push({ number, value: message.subarray(at, at + length) });
      at += length;
    } else {
      at += kind === 1 ? 8 : 4;
    }
  }
  return fields;
}
