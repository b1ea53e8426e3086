// Runs what is measured of people, one part after the other, and puts the tables together:
//   node bench/people/run.ts [--quick] [--only directory,policy] [--out file.md]
// Each part is a program of its own; what else it understands is said at its top.
import { runParts } from '../parts.ts'

await runParts(import.meta.dirname, ['directory', 'meeting', 'policy'])
