import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const condition = '@splitmirror/source';
const packages = fileURLToPath(new URL('../packages', import.meta.url));

/** The doors of a package: the sources of its entry points. */
function doorsOf(folder: string): string[] {
  const { exports = {} } = JSON.parse(readFileSync(`${packages}/${folder}/package.json`, 'utf8')) as {
    readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  return Object.values(exports).flatMap((door) => {
    const source = typeof door === 'string' ? undefined : door[condition];
    return source === undefined ? [] : [`${packages}/${folder}/${source.replace('./', '')}`];
  });
}

const folders = readdirSync(packages).filter((folder) => doorsOf(folder).length > 0);
const program = ts.createProgram(folders.flatMap(doorsOf), {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  customConditions: [condition],
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  types: ['node'],
});
const checker = program.getTypeChecker();

function resolved(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** All that a package exports, through any of its doors. */
function exportsOf(folder: string): ReadonlySet<ts.Symbol> {
  const modules = doorsOf(folder).flatMap((door) => {
    const file = program.getSourceFile(door);
    return (file && checker.getSymbolAtLocation(file)) ?? [];
  });
  return new Set(modules.flatMap((module) => checker.getExportsOfModule(module).map(resolved)));
}

/** The names that the signature of a declaration holds: no bodies, no initial values, nothing private. */
function namesIn(node: ts.Node): ts.Identifier[] {
  if (ts.isIdentifier(node)) return [node];
  if (ts.isBlock(node) || isPrivate(node)) return [];
  if (ts.isVariableDeclaration(node) || ts.isParameter(node)) return node.type === undefined ? [] : namesIn(node.type);
  const inside: ts.Identifier[] = [];
  ts.forEachChild(node, (child) => void inside.push(...namesIn(child)));
  return inside;
}

function isPrivate(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return false;
  const isHidden = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0;
  return isHidden || (node.name !== undefined && ts.isPrivateIdentifier(node.name));
}

/** What a module gives to others of its package: a type that is spelled for one file alone has no name to be asked for. */
function isShared({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((declaration) => ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Export);
}

describe.each(folders)('the surface of packages/%s', (folder) => {
  const exported = exportsOf(folder);
  const isOwn = ({ declarations: [first] = [] }: ts.Symbol) =>
    first?.getSourceFile().fileName.startsWith(`${packages}/${folder}/src/`) === true;

  it('exports every type that something exported names', () => {
    const unnamed = [...exported].flatMap((symbol) =>
      (symbol.declarations ?? []).flatMap(namesIn).flatMap((name) => {
        const found = checker.getSymbolAtLocation(name);
        const type = found && resolved(found);
        if (type === undefined || exported.has(type) || !isOwn(type) || !isShared(type)) return [];
        return type.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Class)
          ? [`${type.name}, of ${symbol.name}`]
          : [];
      }),
    );
    expect([...new Set(unnamed)].sort()).toEqual([]);
  });
});
