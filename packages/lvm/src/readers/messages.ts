/** One message of AIX, as commands print it: `0516-010 : text` or `0516-1201 lsvg: text`. */
export interface Message {
  /** Catalogue and number, for instance `0516-1201`. */
  readonly number: string;
  /** Command that says it, perhaps with its path, or `null` (a blank before the colon). */
  readonly command: string | null;
  /** The text, runs of blanks and line ends as one blank. */
  readonly text: string;
  readonly class: MessageClass;
}

/**
 * What a message means for the command that printed it. The series is shared by successes, hints, warnings and failures,
 * so `unknown`, also where number and words disagree, says nothing: the exit status decides.
 */
export type MessageClass =
  /** The volume group is not varied on. */
  | 'varied-off'
  /** The volume group is locked; the command goes on trying and may never return. */
  | 'locked'
  /** No such object. */
  | 'not-found'
  /** Not enough partitions or disks. */
  | 'no-room'
  /** Any other failure. */
  | 'failure'
  | 'warning'
  /** Printed by commands that succeed. */
  | 'information'
  /** The command waits for an answer. */
  | 'question'
  | 'unknown';

/** The numbers that public captures and manuals show. */
const classes: Readonly<Record<string, MessageClass>> = {
  '0516-010': 'varied-off',
  '0516-052': 'failure',
  '0516-304': 'not-found',
  '0516-306': 'not-found',
  '0516-320': 'information',
  '0516-404': 'no-room',
  '0516-622': 'warning',
  '0516-787': 'failure',
  '0516-792': 'failure',
  '0516-932': 'failure',
  '0516-934': 'failure',
  '0516-949': 'failure',
  '0516-1126': 'information',
  '0516-1144': 'information',
  '0516-1162': 'failure',
  '0516-1164': 'information',
  '0516-1201': 'locked',
  '0516-1224': 'question',
  '0516-1246': 'information',
  '0516-1254': 'information',
  '0516-1296': 'failure',
  '0516-1396': 'not-found',
  '0516-1712': 'information',
  '0516-1734': 'warning',
  '0516-1804': 'information',
  '0507-278': 'failure',
};

/** What is not said of a success; that a disk is in no group is no failure. */
const failing = /\b(?:not(?! (?:assigned|in|part)\b)|cannot|unable|fail\w*|errors?)\b/i;

function classOf(number: string, text: string): MessageClass {
  const known = classes[number];
  if (known === 'information' && failing.test(text)) return 'unknown';
  return known ?? (/^warning\b/i.test(text) ? 'warning' : 'unknown');
}

/**
 * Whether rows beside it are not to be believed. They are beside the others: `lspv` describes a disk whose group is off,
 * and a disk that has no name here is named by its identifier.
 */
export function isFailure(message: Message): boolean {
  return message.class === 'failure' || message.class === 'no-room';
}

const opening = /^(?:[\w./-]+: )?(\d{4}-\d{3,4}) (?:([\w./-]+)?\s?: ?|(?=[A-Z]))(.*)$/;
/** Behind the name of its command a text may begin with anything, for instance with a device. */
const named = /^[\w./-]+: (\d{4}-\d{3,4}) ()(\S.*)$/;

/**
 * Takes the messages out of what a command wrote. A continuation line starts with blanks; one that does not belongs to
 * the message when it follows a line without a full stop (lspv wraps so) and is prose, not a title or a row.
 *
 * @returns The messages, and every other line in its order.
 */
export function splitMessages(text: string): { messages: Message[]; rest: string } {
  const messages: { number: string; command: string | null; lines: string[] }[] = [];
  const rest: string[] = [];
  let open: { lines: string[] } | undefined;
  for (const line of text.split(/\r?\n/)) {
    const [, number, command, said] = opening.exec(line.trimEnd()) ?? named.exec(line.trimEnd()) ?? [];
    if (number !== undefined) {
      const message = { number, command: command || null, lines: [said ?? ''] };
      messages.push(message);
      open = message;
    } else if (open !== undefined && continues(open.lines, line)) {
      if (line.trim() !== '') open.lines.push(line);
    } else {
      open = undefined;
      rest.push(line);
    }
  }
  return {
    messages: messages.map(({ number, command, lines }) => {
      const text = lines.join(' ').replaceAll(/\s+/g, ' ').trim();
      return { number, command, text, class: classOf(number, text) };
    }),
    rest: rest.join('\n'),
  };
}

function continues(lines: readonly string[], line: string): boolean {
  const ended = /[.?!'"]\s*$/.test(lines.at(-1) ?? '');
  if (line.trim() === '') return !ended;
  if (/^(?:\t| {4})/.test(line)) return true;
  // Rows stand apart by several blanks, and a title or a name is one word; prose has neither.
  return !ended && !/^\S*[^\s.?!'"]\s*$/.test(line) && !/[^\s.?!]\s{2,}\S/.test(line);
}
