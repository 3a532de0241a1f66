import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSecret } from './secret.ts';

const shell = (text: string) => ({ command: ['sh', '-c', text] }) as const;

describe('readSecret', () => {
  it('takes the one line that a file, a variable or a command tells', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'splitmirror-secret-')), 'password');
    await writeFile(file, 'correct horse\r\n');
    process.env.SPLITMIRROR_TEST_SECRET = 'correct horse';
    for (const reference of [
      { file },
      { environment: 'SPLITMIRROR_TEST_SECRET' },
      shell("echo warned >&2; echo 'correct horse'"),
    ]) {
      expect(await readSecret(reference)).toBe('correct horse');
    }
  });

  it.each([
    [
      shell('echo asking >&2; echo "vault: permission denied" >&2; echo >&2; exit 3'),
      'the command sh ended with 3: vault: permission denied',
    ],
    [{ command: ['false'] } as const, 'the command false ended with 1'],
    [shell('kill -9 $$'), 'the command sh was ended by SIGKILL'],
    [{ command: ['/no/such/program'] } as const, 'the command /no/such/program cannot be started: ENOENT'],
    [shell('exit 0'), 'the command sh tells nothing'],
    [shell('echo one; echo two'), 'the command sh tells more than one line'],
    // It reads what it is not given.
    [{ command: ['cat'] } as const, 'the command cat tells nothing'],
    [{ environment: 'NOT_SET_ANYWHERE' }, 'the variable NOT_SET_ANYWHERE is not set'],
    [{ file: '/no/such/file' }, '/no/such/file cannot be read: ENOENT'],
  ])('says why there is none: %j', async (reference, message) => {
    const error = await readSecret(reference).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toBe(message);
  });

  it('quotes no secret, wherever a command that fails has written it', async () => {
    const error = await readSecret(shell("echo ' horse '; printf 'bad \\033[1m horse !\\n' >&2; exit 1")).catch(String);
    expect(error).toBe('RangeError: the command sh ended with 1: bad \\x1b[1m <redacted> !');
  });

  it('ends a command that hangs, and says that it was the deadline', async () => {
    const hangs = shell('echo unlock the token >&2; sleep 600; :');
    const reading = readSecret(hangs, { timeoutSeconds: 0.5 });
    await expect(reading).rejects.toThrow('the command sh did not end within 0.5 s: unlock the token');
  });

  it('ends with its signal', async () => {
    const reading = readSecret({ command: ['sleep', '600'] }, { signal: AbortSignal.timeout(50) });
    await expect(reading).rejects.toMatchObject({ name: 'TimeoutError' });
    const aborted = AbortSignal.abort(new Error('no more'));
    await expect(readSecret({ environment: 'PATH' }, { signal: aborted })).rejects.toThrow('no more');
  });
});
