// Reads one Parquet file with one of three readers that share no code with the program, and prints what is in it as JSON:
//
//   node read.mjs READER FILE TYPES     READER: hyparquet, parquet-wasm, duckdb
//
// TYPES is a JSON object from column name to type: "bool", "int", "float32", "float64", "string", "binary", {"list": TYPE}
// or {"struct": {NAME: TYPE, ...}}. Printed are the number of rows, the key-values of the footer and, for each column, how
// many rows have a value and the SHA-256 of the content as the package comment of io/dataset defines it.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const [reader, file, typesText] = process.argv.slice(2)
const types = JSON.parse(typesText)

// content appends the bytes of one value to out. Readers differ in how they give values; the types say what they mean.
function content (out, value, type) {
  if (value === null || value === undefined) {
    out.push(Buffer.of(0))
    return
  }
  out.push(Buffer.of(1))
  if (type.list) {
    const list = [...value]
    out.push(uint32(list.length))
    for (const v of list) content(out, v, type.list)
    return
  }
  if (type.struct) {
    for (const [name, t] of Object.entries(type.struct)) content(out, value[name], t)
    return
  }
  switch (type) {
    case 'bool':
      if (typeof value !== 'boolean') throw new Error(`${value} is no bool`)
      out.push(Buffer.of(value ? 1 : 0))
      break
    case 'int': {
      const b = Buffer.alloc(8)
      b.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)))
      out.push(b)
      break
    }
    case 'float32': {
      const b = Buffer.alloc(4)
      if (Number.isNaN(value)) b.writeUInt32LE(0x7fc00000)
      else b.writeFloatLE(value)
      out.push(b)
      break
    }
    case 'float64': {
      const b = Buffer.alloc(8)
      if (Number.isNaN(value)) b.writeBigUInt64LE(0x7ff8000000000000n)
      else b.writeDoubleLE(value)
      out.push(b)
      break
    }
    case 'string': {
      if (typeof value !== 'string') throw new Error(`${value} is no string`)
      const b = Buffer.from(value, 'utf8')
      out.push(uint32(b.length), b)
      break
    }
    case 'binary': {
      const b = Buffer.from(value)
      out.push(uint32(b.length), b)
      break
    }
    default:
      throw new Error(`unknown type ${JSON.stringify(type)}`)
  }
}

function uint32 (n) {
  const b = Buffer.alloc(4)
  b.writeUInt32LE(n)
  return b
}

// Each reader gives { rows, keys, columns }, where columns[name] is an array of values.
const readers = {
  async hyparquet () {
    const { parquetMetadataAsync, parquetReadObjects, asyncBufferFromFile } = await import('hyparquet')
    const { compressors } = await import('hyparquet-compressors')
    const buffer = await asyncBufferFromFile(file)
    const metadata = await parquetMetadataAsync(buffer)
    const keys = Object.fromEntries(metadata.key_value_metadata.map(kv => [kv.key, kv.value]))
    const objects = await parquetReadObjects({ file: buffer, metadata, compressors, utf8: false })
    const columns = {}
    for (const name of Object.keys(types)) columns[name] = objects.map(o => o[name])
    return { rows: objects.length, keys, columns }
  },

  async 'parquet-wasm' () {
    const { readParquet } = (await import('node:module')).createRequire(import.meta.url)('parquet-wasm')
    const { tableFromIPC } = await import('apache-arrow')
    const table = tableFromIPC(readParquet(readFileSync(file)).intoIPCStream())
    const columns = {}
    for (const name of Object.keys(types)) {
      const column = table.getChild(name)
      columns[name] = Array.from({ length: column.length }, (_, i) => column.get(i))
    }
    return { rows: table.numRows, keys: Object.fromEntries(table.schema.metadata), columns }
  },

  async duckdb () {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const quoted = `'${file.replaceAll("'", "''")}'`
    const data = (await connection.runAndReadAll(`SELECT * FROM read_parquet(${quoted})`))
    const names = data.columnNames()
    const values = data.getColumns()
    const kv = await connection.runAndReadAll(`SELECT key, value FROM parquet_kv_metadata(${quoted})`)
    const text = v => Buffer.from(v.bytes).toString('utf8')
    const keys = Object.fromEntries(kv.getRows().map(([k, v]) => [text(k), text(v)]))
    const columns = {}
    for (const name of Object.keys(types)) columns[name] = values[names.indexOf(name)].map(plain)
    return { rows: data.currentRowCount, keys, columns }
  }
}

// plain unwraps the value classes of DuckDB's API.
function plain (v) {
  if (v === null || typeof v !== 'object') return v
  if (v.bytes) return v.bytes
  if (v.items) return v.items.map(plain)
  if (v.entries) return Object.fromEntries(Object.entries(v.entries).map(([k, x]) => [k, plain(x)]))
  throw new Error(`DuckDB gave a ${v.constructor.name}`)
}

const { rows, keys, columns } = await readers[reader]()
const sums = {}
for (const [name, type] of Object.entries(types)) {
  const hash = createHash('sha256')
  let nonNull = 0
  for (const value of columns[name]) {
    const out = []
    content(out, value, type)
    hash.update(Buffer.concat(out))
    if (value !== null && value !== undefined) nonNull++
  }
  sums[name] = { non_null: nonNull, sha256: hash.digest('hex') }
}
console.log(JSON.stringify({ rows, keys, columns: sums }))
