// Runs what is measured of groups, one part after the other, and puts the tables together:
//   node bench/groups/run.ts [--quick] [--only ring-signature,evaluate] [--out file.md]
// Each part is a program of its own; what else it understands is said at its top.
import { runParts } from '../parts.ts'

await runParts(import.meta.dirname, ['ring-signature', 'evaluate', 'intake', 'spread', 'post', 'representative'])
