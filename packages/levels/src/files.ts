// What crosses the edge: snapshot files and the schema of the JSON report. Apart from the rest, because checking what
// comes from outside takes zod, and an audit in memory does not.
export { reportSchema } from './reports/json-schema.ts';
export { readSnapshotFile, SnapshotFileError, snapshotFileSchema, writeSnapshotFile } from './snapshot-file.ts';
