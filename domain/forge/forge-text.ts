/** The longest text that every forge accepts as a description, comment or notes. */
const LONGEST_TEXT = 60_000;
/** The longest title that every forge accepts. */
const LONGEST_TITLE = 250;
/** The longest description of a check that every forge accepts. */
const LONGEST_DESCRIPTION = 140;

/**
 * A text for a forge, written by people or programs that we do not trust: mentions notify no one, HTML comments are
 * visible, and a line that begins with a slash is not a quick action of GitLab. Too long texts are cut.
 */
export function harmlessText(text: string): string {
  const harmless = withoutControls(text)
    .replaceAll('<!--', '&lt;!--')
    // a word joiner, which is invisible: every forge takes a mention for one only where a name follows the sign at once
    .replaceAll(/@(?=[\p{L}\p{N}_-])/gu, '@\u2060')
    .replaceAll(/^(\s*(?:>\s*)*)\/(?=\p{L})/gmu, '$1\u2060/');
  return harmless.length <= LONGEST_TEXT ? harmless : `${harmless.slice(0, LONGEST_TEXT)}\n\n(cut)`;
}

/** A title for a forge: one line, in which mentions notify no one. */
export function harmlessTitle(text: string): string {
  return cut(harmlessText(text).replaceAll(/\s+/g, ' ').trim(), LONGEST_TITLE);
}

/** A description of a check: one line. */
export function harmlessDescription(text: string): string {
  return cut(withoutControls(text).replaceAll(/\s+/g, ' ').trim(), LONGEST_DESCRIPTION);
}

/**
 * A text with the marker of its key in the first line, where {@link hasMarker} finds it. The text itself cannot contain
 * one there.
 */
export function withMarker(key: string, text: string): string {
  return `${markerOf(key)}\n${harmlessText(text)}`;
}

/** True when this is a text with the marker of this key. The caller makes sure that our own account wrote it. */
export function hasMarker(key: string, text: string): boolean {
  return text.split(/\r?\n/, 1)[0] === markerOf(key);
}

/** True when two texts of a forge are the same: it may trim them, or change the ends of lines. */
export function isSameText(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').trim();
}

/** A hidden comment. Two dashes would end it. */
function markerOf(key: string): string {
  return `<!-- longhaul:${encodeURIComponent(key).replaceAll('-', '%2D')} -->`;
}

function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the point is to remove control characters
  return text.replaceAll('\r\n', '\n').replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
