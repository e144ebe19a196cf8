import { SyntaxFault } from './expand.ts';

/** Splits at blanks that are neither quoted nor escaped; quotes and escapes stay, for the expansion to take away. */
export function splitWords(text: string, escapeCharacter: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === escapeCharacter && quote !== "'" && at + 1 < text.length) {
      word += character + text[at + 1];
      at += 1;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      word += character;
    } else if (/\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (character === '"' || character === "'") quote = character;
      word += character;
    }
  }
  if (quote !== '') throw new SyntaxFault('a quotation mark is missing');
  if (word !== '') words.push(word);
  return words;
}

/** The exec form, a JSON list of strings; undefined for anything else, which is the shell form then, as in Docker. */
export function parseExecForm(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** `NAME=value` pairs as ENV, LABEL and ARG write them; values undefined where there is no equals sign. Nothing is expanded. */
export function parsePairs(
  text: string,
  escapeCharacter: string,
): { name: string; value: string | undefined }[] {
  return splitWords(text, escapeCharacter).map((word) => {
    const at = equalsSign(word);
    return at < 0 ? { name: word, value: undefined } : { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}

/** The first one outside of quotes: a label's name may be quoted and hold one. */
function equalsSign(word: string): number {
  let quote = '';
  for (let at = 0; at < word.length; at += 1) {
    const character = word[at]!;
    if (quote === '' && character === '=') return at;
    if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
  }
  return -1;
}
