/** The oldest Node.js that this package runs on, as its `engines` say. */
const oldest = [22, 12] as const;

/** Why a version of Node.js will not do, or `null` when it will. npm only warns of it, and what fails then says nothing. */
export function refusalOfNode(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return null;
  return `splitmirror needs Node.js ${oldest.join('.')} or newer; this is ${version}`;
}
