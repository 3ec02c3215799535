// Before each of the clients: its one socket, what it shall hold, and how it tells the test what it shows.
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'

const [url, connectionParams, everything] = process.argv.slice(1)
const say = (what) => console.log(JSON.stringify(what))
const sent = []

class Noting extends WebSocket {
  send(text, ...more) {
    const { type, payload } = JSON.parse(text)
    if (type === 'subscribe') sent.push(payload.query.match(/\w+/)[0])
    super.send(text, ...more)
  }
}

const socket = createClient({ url, webSocketImpl: Noting, connectionParams: JSON.parse(connectionParams) })
const shows = (name, data) => say({ [name]: { data, sent } })
const failed = (error) => say({ error: String(error?.message ?? error) })

// One after the other, each with its change: `hold` waits until its query is answered.
async function holdAll(hold) {
  for (const held of JSON.parse(everything)) await hold(held)
}
