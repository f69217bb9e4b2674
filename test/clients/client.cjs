// @clickhouse/client over HTTP: ping, insert, query, streams, parameters, errors.
const assert = require('node:assert')
const { createClient } = require('@clickhouse/client')

async function main() {
  for (const compression of [{}, { request: true, response: true }]) {
    const c = createClient({ url: `http://127.0.0.1:${process.env.OLAPD_HTTP_PORT}`, compression })
    assert((await c.ping()).success)
    await c.command({ query: 'DROP TABLE IF EXISTS js' })
    await c.command({ query: 'CREATE TABLE js (k UInt32, v String, a Array(UInt8)) ENGINE = MergeTree ORDER BY k' })
    const values = Array.from({ length: 1000 }, (_, i) => ({ k: i, v: 'v' + i, a: [i % 7] }))
    await c.insert({ table: 'js', values, format: 'JSONEachRow' })
    const rows = await (await c.query({ query: 'SELECT * FROM js ORDER BY k', format: 'JSONEachRow' })).json()
    assert.deepStrictEqual(rows, values)
    const one = await (await c.query({ query: 'SELECT count() AS n FROM js WHERE k >= {k:UInt32}', query_params: { k: 990 } })).json()
    assert.strictEqual(Number(one.data[0].n), 10)
    let seen = 0
    for await (const part of (await c.query({ query: 'SELECT number FROM numbers(100000)', format: 'JSONCompactEachRow' })).stream()) seen += part.length
    assert.strictEqual(seen, 100000)
    await assert.rejects(c.query({ query: 'SELECT * FROM nowhere' }), (e) => e.code === '60' && e.type === 'UNKNOWN_TABLE')
    await assert.rejects(async () => (await c.query({ query: 'SELECT throwIf(number = 90000) FROM numbers(100000)', format: 'JSONEachRow' })).json())
    await c.command({ query: 'DROP TABLE js' })
    await c.close()
  }
}

main().catch((e) => { console.error(e); process.exit(1) })
