import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema, GraphQLError, type GraphQLObjectType } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { type FeedItem, FeedSubscription, withNewer } from '../feed/feed'

/** A journal as the server keeps it, on a real socket, with the names of the real schema. */
const journal: { cursor: string; at: string; kind: string; subject: null }[] = []
const asked: (string | null)[] = []
let wake = () => {}
let refuseNext: string | null = null

async function* bulletin({ after }: { after: string | null }) {
  asked.push(after)
  if (refuseNext) {
    const code = refuseNext
    refuseNext = null
    throw new GraphQLError(code, { extensions: { code } })
  }
  let next = after ? journal.findIndex(({ cursor }) => cursor === after) + 1 : journal.length
  while (true) {
    for (; next < journal.length; next += 1) yield { bulletin: journal[next] }
    await new Promise<void>((resolve) => (wake = resolve))
  }
}

function post(cursor: string) {
  journal.push({ cursor, at: '2026-10-15T11:42:00Z', kind: 'NOTICE_PUBLISHED', subject: null })
  wake()
}

let http: Server
let sockets: WebSocketServer
let held: FeedItem[] = []
let stop = () => {}
const cursors = () => held.map(({ cursor }) => cursor).join(' ')

beforeAll(async () => {
  const schema = buildSchema(readFileSync('../schema/schema.graphql', 'utf8'))
  const fields = (schema.getSubscriptionType() as GraphQLObjectType).getFields()
  fields['bulletin']!.subscribe = (_: unknown, args) => bulletin(args as { after: string | null })
  http = createServer()
  sockets = new WebSocketServer({ server: http, path: '/graphql' })
  useServer({ schema }, sockets)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  vi.stubGlobal('WebSocket', WebSocket)
  vi.stubGlobal('location', { protocol: 'http:', host: `127.0.0.1:${(http.address() as AddressInfo).port}` })
})

afterAll(() => {
  stop()
  sockets.clients.forEach((socket) => socket.terminate())
  sockets.close()
  http.close()
})

beforeEach(() => {
  stop()
  journal.length = 0
  asked.length = 0
  held = []
})

async function follow(from: string | null, refused?: (code: string) => void) {
  const { watch } = await import('./watch')
  let newest = from
  stop = watch(FeedSubscription, {
    variables: () => ({ communityId: 'c', after: newest }),
    next: ({ bulletin: item }) => {
      newest = item.cursor
      held = withNewer(held, item)
    },
    refused: ({ code }) => refused?.(code),
  })
  await vi.waitFor(() => expect(asked).toHaveLength(1))
}

describe('the journal over a line that breaks', () => {
  it('resumes from the newest item held, and skips nothing', async () => {
    post('a')
    await follow('a')
    post('b')
    await vi.waitFor(() => expect(cursors()).toBe('b'))

    sockets.clients.forEach((socket) => socket.terminate())
    post('c')
    post('d')

    await vi.waitFor(() => expect(cursors()).toBe('d c b'), 5_000)
    expect(asked).toEqual(['a', 'b'])
  })

  it('comes back by itself after a server that asked to try again', async () => {
    post('a')
    refuseNext = 'TRY_AGAIN'
    await follow('a')
    post('b')
    await vi.waitFor(() => expect(cursors()).toBe('b'), 5_000)
    expect(asked).toEqual(['a', 'a'])
  })

  it('says so when its cursor is of no use any more', async () => {
    refuseNext = 'CURSOR_INVALID'
    const refused: string[] = []
    await follow('gone', (code) => refused.push(code))
    await vi.waitFor(() => expect(refused).toEqual(['CURSOR_INVALID']))
  })
})
