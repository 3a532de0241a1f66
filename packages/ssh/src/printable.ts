/** What a node says of itself, fit for a terminal: none of its characters controls anything. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}
