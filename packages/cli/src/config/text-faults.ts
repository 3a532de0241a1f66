import { type Document, isMap, isScalar, type LineCounter, type Pair, visit, type YAMLParseError } from 'yaml';
import type { Fault } from './faults.ts';

/** Everything that keeps a text from being the one YAML document of a configuration. */
export function faultsOfText(document: Document.Parsed, lines: LineCounter): Fault[] {
  return [...document.errors.map((error) => faultOf(error, document, lines)), ...unknownAliases(document)];
}

function faultOf(error: YAMLParseError, document: Document.Parsed, lines: LineCounter): Fault {
  const [offset] = error.pos;
  switch (error.code) {
    case 'MULTIPLE_DOCS':
      return {
        offset,
        message: 'a second document begins here, and a configuration is one: keep it in a file of its own',
      };
    case 'DUPLICATE_KEY':
      return { offset, message: doubleKey(document, offset, lines) };
    default:
      // Where it stands is told once.
      return { offset, message: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:$/, '') };
  }
}

function doubleKey(document: Document.Parsed, offset: number, lines: LineCounter): string {
  let message = 'a name is here for a second time: keep one';
  visit(document, {
    Pair(_, pair, ancestors) {
      const map = ancestors.at(-1);
      if (placeOfKey(pair) !== offset || !isMap(map)) return undefined;
      const name = [...ancestors, pair].flatMap((each) => keyOf(each as Pair) ?? []).join('.');
      const first = placeOfKey(map.items.find((other) => keyOf(other) === keyOf(pair)));
      const line = first === undefined ? '' : `, the first time in line ${lines.linePos(first).line}`;
      message = `${name}: it is here for a second time${line}: keep one`;
      return visit.BREAK;
    },
  });
  return message;
}

function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

function placeOfKey(pair: Pair | undefined): number | undefined {
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

/** The parser finds them only when the document is made a value of. */
function unknownAliases(document: Document.Parsed): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const message = `nothing is called &${alias.source} before *${alias.source} stands here`;
      faults.push({ offset: alias.range?.[0] ?? 0, message: `${message}; a text that begins with * needs quotes` });
    },
  });
  return faults;
}
