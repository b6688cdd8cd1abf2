/** The scripts of languages that put no spaces between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
/** The locale is fixed, because index and query must be split alike. Dictionaries are chosen by the script. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** True when a text contains a script without spaces. */
export function isUnspaced(text: string): boolean {
  return UNSPACED.test(text);
}

/** The words of a text in a script without spaces, in order, according to the dictionaries of ICU. */
export function wordsWithoutSpaces(text: string): string[] {
  return Array.from(segmenter.segment(text)).flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : []));
}

/** Vowel signs and tone marks written as letters: Weaviate would split a word at each. */
export function writtenMarks(word: string): string {
  return word.replaceAll(/\p{M}/gu, (mark) => `x${mark.codePointAt(0)?.toString(16)}`);
}

const SAMPLE = [
  '用户登录失败时重试三次并记录错误日志，我们在北京大学学习计算机科学。',
  'データベース接続の初期化に失敗しました。東京特許許可局の注文を処理する関数',
  'ผู้ใช้เข้าสู่ระบบไม่สำเร็จ ฟังก์ชันนี้คำนวณภาษีมูลค่าเพิ่ม',
];

/** How the dictionaries of this process split a sample: another version of ICU may split texts differently. */
export function segmentationSample(): string {
  return SAMPLE.map((text) => wordsWithoutSpaces(text).join('|')).join('\n');
}
