// `npm run openapi`: writes docs/openapi.json. A test says when it has to be run.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { apiDescription } from './api-description.ts'

writeFileSync(join(dirname(import.meta.dirname), 'docs/openapi.json'), apiDescription())
