import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { GroupContents } from '../ports.ts';
import { problemOf } from '../problems.ts';
import type { Store } from '../store/store.ts';

/** What a group consists of, as far as a store can tell, or why it cannot. */
type KnownContents =
  | { readonly kind: 'known'; readonly contents: GroupContents }
  | { readonly kind: 'unknown'; readonly why: string };

/** What the newest run of a group, complete or not, had planned upon: the group may have changed since. */
export async function knownContents(store: Pick<Store, 'root' | 'survey'>, group: string): Promise<KnownContents> {
  try {
    const { backups, damaged, incomplete } = await store.survey(group);
    const directories = [...backups, ...damaged, ...incomplete].map(({ directory }) => directory);
    // Their names begin with their time.
    for (const directory of directories.sort().reverse()) {
      const contents = await plannedIn(directory);
      if (contents !== null) return { kind: 'known', contents };
    }
    return { kind: 'unknown', why: `no run of ${group} in ${store.root} tells what it consists of` };
  } catch (error) {
    return { kind: 'unknown', why: problemOf(error, null).message };
  }
}

const planLine = z.looseObject({
  kind: z.literal('plan'),
  plan: z.looseObject({
    contents: z.looseObject({
      volumeGroups: z.array(z.string()),
      fileSystems: z.union([z.array(z.string()), z.literal('ALL')]),
    }),
  }),
});

/** The plan is the first line of a journal. One that is gone or damaged hides no older one. */
async function plannedIn(directory: string): Promise<GroupContents | null> {
  try {
    const [line = ''] = (await readFile(join(directory, 'journal.ndjson'), 'utf8')).split('\n', 1);
    const { volumeGroups, fileSystems } = planLine.parse(JSON.parse(line)).plan.contents;
    return { volumeGroups, fileSystems };
  } catch {
    return null;
  }
}
