/** `*` stands for any run of characters and `?` for one; everything else is plain. Linear in both lengths' product. */
export function matchesPattern(pattern: string, name: string): boolean {
  let [at, star, resume] = [0, -1, 0];
  for (let position = 0; position < name.length; ) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at++;
      resume = position;
    } else if (wanted === '?' || wanted === name[position]) {
      at++;
      position++;
    } else if (star !== -1) {
      at = star + 1;
      position = ++resume;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
