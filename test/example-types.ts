import { dirname, join } from 'node:path';
import ts from 'typescript';

/** A file that stands in no directory: an example of a page, or what it imports as the reader's own. */
export interface ExampleFile {
  /** Where it would stand, so that it finds what it imports. */
  readonly path: string;
  readonly text: string;
}

/**
 * What the compiler says of examples under the settings of this repository, which are strict: in one program, since most of the
 * time goes by reading what they import.
 *
 * @returns Faults by the path of the example; empty for one that compiles.
 */
export function typeFaults(
  root: string,
  examples: readonly ExampleFile[],
  imported: readonly ExampleFile[],
): ReadonlyMap<string, readonly string[]> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
  const texts = new Map([...examples, ...imported].map(({ path, text }) => [path, text]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getCurrentDirectory = () => root;
  const program = ts.createProgram(
    examples.map(({ path }) => path),
    options,
    host,
  );
  return new Map(
    examples.map(({ path }) => {
      const file = program.getSourceFile(path);
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      return [path, found.map((fault) => told(fault, dirname(path)))];
    }),
  );
}

function told({ file, start = 0, messageText }: ts.Diagnostic, folder: string): string {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
  return `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n').replaceAll(folder, '.')}`;
}
