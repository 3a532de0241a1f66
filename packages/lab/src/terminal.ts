import type { Duplex } from 'node:stream';
import type { NodeProcess } from './processes.ts';

const erase = new Set(['\b', '\x7f']);

/**
 * Stands between a terminal and a shell that has none: the line discipline of a pty in its cooked mode, since Node.js
 * cannot open one. Echoes, edits a line (erase, kill), turns CR into LF on the way in and LF into CR LF on the way out,
 * and makes ^C an interrupt and ^D the end of input.
 */
export function attachTerminal(terminal: Duplex, shell: NodeProcess): void {
  let line = '';
  terminal.on('data', (chunk: Buffer) => {
    for (const character of chunk.toString('utf8')) type(character);
  });
  for (const output of [shell.stdout, shell.stderr]) {
    output.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1').replace(/\r?\n/g, '\r\n');
      if (!terminal.write(Buffer.from(text, 'latin1'))) {
        output.pause();
        terminal.once('drain', () => output.resume());
      }
    });
  }

  function type(character: string): void {
    if (character === '\r' || character === '\n') {
      terminal.write('\r\n');
      shell.stdin.write(`${line}\n`);
      line = '';
    } else if (erase.has(character)) {
      if (line !== '') terminal.write('\b \b');
      line = line.slice(0, -1);
    } else if (character === '\x15') {
      terminal.write('\b \b'.repeat(line.length));
      line = '';
    } else if (character === '\x03') {
      terminal.write('^C\r\n');
      line = '';
      interrupt(shell);
    } else if (character === '\x04') {
      if (line === '') shell.stdin.end();
    } else if (character >= ' ') {
      line += character;
      terminal.write(character);
    }
  }
}

function interrupt(shell: NodeProcess): void {
  try {
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGINT');
  } catch {
    // It has just ended.
  }
}
