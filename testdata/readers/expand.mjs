// Expands a JSON-LD file in safe mode, in which a key or type that the context does not define is an error, and prints the
// result. Contexts must be inline: nothing is fetched.
//
//   node expand.mjs FILE
import { readFileSync } from 'node:fs'
import jsonld from 'jsonld'

const doc = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const documentLoader = async url => { throw new Error(`${url} would have to be fetched`) }
const expanded = await jsonld.expand(doc, { documentLoader, safe: true, base: 'https://example.invalid/dataset/' })
console.log(JSON.stringify(expanded))
