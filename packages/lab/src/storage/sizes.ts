/** Bytes of a size in 512-byte blocks, or with `M` or `G`; undefined when it is none. */
export function sizeInBytes(text: string): number | undefined {
  const match = /^(\d+)([MG]?)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (match[2] === 'G' ? 1 << 30 : match[2] === 'M' ? 1 << 20 : 512);
}
