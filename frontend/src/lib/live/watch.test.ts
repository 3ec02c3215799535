import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema, GraphQLError, type GraphQLObjectType } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { type FeedItem, FeedSubscription, withNewer } from '../feed/feed'
import { TallySubscription } from '../tally/fragment'

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 60_000 })
const eventually = (check: () => void) => vi.waitFor(check, 20_000)

/** A journal and a tally as the server keeps it, on a real socket, with the names of the real schema. */
const journal: { cursor: string; at: string; kind: string; subject: null }[] = []
const asked: (string | null)[] = []
let wake = () => {}
let refuseNext: string | null = null
/** The journal's subscriptions end after their next item, as when a server lets them go. */
let brief = false

async function* bulletin({ after }: { after: string | null }) {
  asked.push(after)
  if (refuseNext) {
    const code = refuseNext
    refuseNext = null
    throw new GraphQLError(code, { extensions: { code } })
  }
  let next = after ? journal.findIndex(({ cursor }) => cursor === after) + 1 : journal.length
  const first = next
  while (true) {
    for (; next < journal.length; next += 1) yield { bulletin: journal[next] }
    if (brief && next > first) return
    await new Promise<void>((resolve) => (wake = resolve))
  }
}

let version = 1
const tallies = new Set<() => void>()

async function* voteProgress({ voteId }: { voteId: string }) {
  const none = { heads: 0, area: '0.00' }
  const tally = { voteId, eligible: none, participating: none, lastBallotAt: null, questions: [], turnoutByDay: [] }
  while (true) {
    yield { voteProgress: { ...tally, version } }
    await new Promise<void>((resolve) => tallies.add(resolve))
  }
}

function cast() {
  version += 1
  tallies.forEach((moved) => moved())
}

function post(cursor: string) {
  journal.push({ cursor, at: '2026-10-15T11:42:00Z', kind: 'NOTICE_PUBLISHED', subject: null })
  wake()
}

/** How often the page asked whether the line stands, and was answered; `mute` sockets do not answer. */
let pings = 0
let pongs = 0
const mute = new Set<WebSocket>()

let http: Server
let sockets: WebSocketServer
/** What the page said on its sockets: type and id. */
let said: string[] = []
let held: FeedItem[] = []
const stops: (() => void)[] = []
const drop = () => sockets.clients.forEach((socket) => socket.terminate())
const cursors = () => held.map(({ cursor }) => cursor).join(' ')

beforeAll(async () => {
  const schema = buildSchema(readFileSync('../schema/schema.graphql', 'utf8'))
  const fields = (schema.getSubscriptionType() as GraphQLObjectType).getFields()
  fields['bulletin']!.subscribe = (_: unknown, args) => bulletin(args as { after: string | null })
  fields['voteProgress']!.subscribe = (_: unknown, args) => voteProgress(args as { voteId: string })
  http = createServer()
  sockets = new WebSocketServer({ server: http, path: '/graphql' })
  useServer({ schema }, sockets)
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { type, id } = JSON.parse(String(data)) as { type: string; id?: string }
      if (id) said.push(`${type} ${id}`)
      if (type === 'ping') pings += 1
    })
    const send = socket.send.bind(socket) as (data: string, sent: () => void) => void
    socket.send = ((data: string, sent: () => void) => {
      const pong = (JSON.parse(data) as { type: string }).type === 'pong'
      if (pong && mute.has(socket)) return sent()
      if (pong) pongs += 1
      send(data, sent)
    }) as typeof socket.send
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  vi.stubGlobal('WebSocket', WebSocket)
  vi.stubGlobal('document', tab)
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('addEventListener', tab.addEventListener.bind(tab))
  vi.stubGlobal('location', { protocol: 'http:', host: `127.0.0.1:${(http.address() as AddressInfo).port}` })
})

afterAll(() => {
  drop()
  sockets.close()
  http.close()
})

/** As much of a window as a line looks at. */
const tab = Object.assign(new EventTarget(), { hidden: false })

function show(visible: boolean) {
  tab.hidden = !visible
  tab.dispatchEvent(new Event('visibilitychange'))
}

beforeEach(() => {
  // The shortest of all waits.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  said = []
  journal.length = 0
  brief = false
  pings = pongs = 0
  asked.length = 0
  held = []
})

afterEach(async () => {
  stops.splice(0).forEach((stop) => stop())
  drop()
  await eventually(() => expect(sockets.clients.size).toBe(0))
  tallies.clear()
  vi.useRealTimers()
  show(true)
  vi.restoreAllMocks()
})

async function followFrom(from: string | null, refused?: (code: string) => void) {
  const { follow } = await import('./watch')
  let newest = from
  const stop = follow(FeedSubscription, {
    subject: { communityId: 'c' },
    after: () => newest,
    next: ({ bulletin: item }) => {
      newest = item.cursor
      held = withNewer(held, item)
    },
    refused: ({ code }) => refused?.(code),
  })
  stops.push(stop)
  await eventually(() => expect(asked.length).toBeGreaterThan(0))
}

async function watchTally(voteId: string) {
  const { watch } = await import('./watch')
  const versions: number[] = []
  const stop = watch(TallySubscription, { voteId }, ({ voteProgress: { version } }) => versions.push(version))
  stops.push(stop)
  await eventually(() => expect(versions).toHaveLength(1))
  return { versions, stop }
}

describe('the journal over a line that breaks', () => {
  it('resumes from the newest item held, and skips nothing', async () => {
    post('a')
    await followFrom('a')
    post('b')
    await eventually(() => expect(cursors()).toBe('b'))

    drop()
    post('c')
    post('d')

    await eventually(() => expect(cursors()).toBe('d c b'))
    expect(asked).toEqual(['a', 'b'])
  })

  it('comes back by itself after a server that asked to try again', async () => {
    post('a')
    refuseNext = 'TRY_AGAIN'
    await followFrom('a')
    post('b')
    await eventually(() => expect(cursors()).toBe('b'))
    expect(asked).toEqual(['a', 'a'])
  })

  it('waits as at first after each that brought something, and longer after each that did not', async () => {
    const { line } = await import('./line.svelte')
    const tries = vi.spyOn(line, 'later')
    post('a')
    refuseNext = 'TRY_AGAIN'
    await followFrom('a')
    await eventually(() => expect(asked).toHaveLength(2))
    brief = true
    post('b')
    await eventually(() => expect(asked).toHaveLength(3))
    refuseNext = 'TRY_AGAIN'
    post('c')
    await eventually(() => expect(asked.length).toBeGreaterThan(4))
    expect(tries.mock.calls.map(([nth]) => nth).slice(0, 4)).toEqual([0, 0, 0, 1])
  })

  it('says so when its cursor is of no use any more', async () => {
    refuseNext = 'CURSOR_INVALID'
    const refused: string[] = []
    await followFrom('gone', (code) => refused.push(code))
    await eventually(() => expect(refused).toEqual(['CURSOR_INVALID']))
  })
})

describe('the name of an operation', () => {
  it('is the same on every phone: what it is and whose, without the cursor', async () => {
    post('a')
    await followFrom('a')
    await watchTally('v')
    expect(said).toEqual(['subscribe Bulletin:c', 'subscribe VoteProgress:v'])
  })

  it('is the same after the line was cut', async () => {
    const { versions } = await watchTally('v')
    drop()
    await eventually(() => expect(versions).toHaveLength(2))
    expect(said).toEqual(['subscribe VoteProgress:v', 'subscribe VoteProgress:v'])
  })

  it('stands once, for all who watch the same thing', async () => {
    const one = await watchTally('v')
    const other = await watchTally('v')
    one.stop()
    cast()
    await eventually(() => expect(other.versions).toEqual([version - 1, version]))
    other.stop()
    await watchTally('w')
    expect(one.versions).toEqual([version - 1])
    expect(said).toEqual(['subscribe VoteProgress:v', 'complete VoteProgress:v', 'subscribe VoteProgress:w'])
  })

  it('is never given twice at a time, not to a second reader of a journal either', async () => {
    post('a')
    await followFrom('a')
    asked.length = 0
    await followFrom(null)
    expect(said).toEqual(['subscribe Bulletin:c', 'subscribe Bulletin:c:2'])
    expect(sockets.clients.size).toBe(1)
  })
})

describe('ten thousand phones whose server restarts', () => {
  const PHONES = 10_000

  /** How many of them come back in each second, when chance is as even as it can be. */
  async function arrivals(tries: number): Promise<number[]> {
    const { line } = await import('./line.svelte')
    let phone = 0
    vi.spyOn(Math, 'random').mockImplementation(() => phone++ / PHONES)
    const seconds: number[] = []
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((_, wait = 0) => {
      const second = Math.floor(wait / 1_000)
      seconds[second] = (seconds[second] ?? 0) + 1
      return undefined as never
    })
    const leave = Array.from({ length: PHONES }, () => line.later(tries, () => {}))
    vi.restoreAllMocks()
    leave.forEach((cancel) => cancel())
    return seconds
  }

  it('come as fast as one process takes them, and all within five seconds', async () => {
    for (const tries of [0, 1]) {
      const seconds = await arrivals(tries)
      expect(seconds.length).toBeLessThan(5)
      expect(Math.max(...seconds)).toBeLessThan(3_000)
    }
  })

  it('ask less and less often while it is away, but never forget it', async () => {
    expect(await arrivals(2)).toHaveLength(8)
    expect(await arrivals(3)).toHaveLength(16)
    expect(await arrivals(30)).toHaveLength(20)
  })
})

describe('a line that was closed', () => {
  const close = (code: number) => sockets.clients.forEach((socket) => socket.close(code))

  it.each([1001, 1005, 1006, 1011, 1012, 1013, 4400, 4408, 4409, 4429, 4500])('comes back after %i', async (code) => {
    const { versions } = await watchTally('v')
    if (code === 1006) drop()
    else if (code === 1005) sockets.clients.forEach((socket) => socket.close())
    else close(code)
    await eventually(() => expect(versions).toHaveLength(2))
  })

  it.each([4401, 4403])('does not knock at a shut door (%i) until there is a new session', async (code) => {
    const { line } = await import('./line.svelte')
    const { versions } = await watchTally('v')
    let knocks = 0
    sockets.on('connection', () => (knocks += 1))
    const wait = vi.spyOn(globalThis, 'setTimeout')

    close(code)
    await eventually(() => expect(wait.mock.calls.map(([, ms]) => ms)).toContain(60_000))
    expect(knocks).toBe(0)

    line.reopen()
    await eventually(() => expect(versions).toHaveLength(2))
    expect(knocks).toBe(1)
  })

  it.each([4401, 4403])('says so where the session is over, and only there (%i)', async (code) => {
    const { line } = await import('./line.svelte')
    const over = vi.spyOn(line, 'sessionOver')
    const wait = vi.spyOn(globalThis, 'setTimeout')
    const { versions } = await watchTally('v')
    close(code)
    await eventually(() => expect(wait.mock.calls.map(([, ms]) => ms)).toContain(60_000))
    expect(over).toHaveBeenCalledTimes(code === 4401 ? 1 : 0)
    line.reopen()
    await eventually(() => expect(versions).toHaveLength(2))
  })

  it('is taken for well once it has held: whoever loses it then waits no longer than at first', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const { line } = await import('./line.svelte')
    const tries = vi.spyOn(line, 'later')
    const { versions } = await watchTally('v')
    const lose = async (times: number) => {
      drop()
      await eventually(() => {
        vi.advanceTimersByTime(100)
        expect(versions).toHaveLength(times)
      })
    }
    await lose(2)
    await lose(3)
    vi.advanceTimersByTime(12_000)
    await eventually(() => expect(pongs).toBeGreaterThan(0))
    await lose(4)
    expect(tries.mock.calls.map(([nth]) => nth).slice(-2)).toEqual([expect.any(Number), 0])
    expect(tries.mock.calls.at(-2)![0]).toBeGreaterThan(0)
  })

  it('is let go when a ping stays without its pong', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const { versions } = await watchTally('v')
    const [dead] = sockets.clients
    mute.add(dead!)
    vi.advanceTimersByTime(12_000)
    await eventually(() => expect(pings).toBeGreaterThan(0))
    expect(versions).toHaveLength(1)
    vi.advanceTimersByTime(5_000)
    await eventually(() => {
      vi.advanceTimersByTime(100)
      expect(versions).toHaveLength(2)
    })
    expect(sockets.clients.has(dead!)).toBe(false)
  })

  it('stays while its pongs come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const { versions } = await watchTally('v')
    for (const times of [1, 2, 3]) {
      vi.advanceTimersByTime(12_000)
      await eventually(() => expect(pongs).toBeGreaterThanOrEqual(times))
      await new Promise((resolve) => setImmediate(resolve))
    }
    vi.advanceTimersByTime(6_000)
    cast()
    await eventually(() => expect(versions).toHaveLength(2))
    expect(said).toEqual(['subscribe VoteProgress:v'])
  })

  it('is not taken for well before it has held a while', async () => {
    const { line } = await import('./line.svelte')
    const tries = vi.spyOn(line, 'later')
    post('a')
    await followFrom('a')
    for (const times of [1, 2, 3]) {
      close(1013)
      await eventually(() => expect(asked).toHaveLength(times + 1))
    }
    const [first, second, third] = tries.mock.calls.map(([nth]) => nth)
    expect([second! - first!, third! - second!]).toEqual([1, 1])
  })
})

describe('a tab that nobody looks at', () => {
  const minutes = (count: number) => vi.advanceTimersByTime(count * 60_000)

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))

  it('stays on the line for a short absence', async () => {
    const { versions } = await watchTally('v')
    show(false)
    vi.advanceTimersByTime(15_000)
    show(true)
    cast()
    await eventually(() => expect(versions).toHaveLength(2))
    expect(said).toEqual(['subscribe VoteProgress:v'])
  })

  it('lets its socket go, and comes back at once with the newest and all that was missed', async () => {
    const { line } = await import('./line.svelte')
    post('a')
    await followFrom('a')
    post('b')
    const { versions } = await watchTally('v')
    await eventually(() => expect(cursors()).toBe('b'))

    show(false)
    minutes(1)
    await eventually(() => expect(said.slice(2)).toEqual(['complete Bulletin:c', 'complete VoteProgress:v']))
    await eventually(() => {
      minutes(1)
      expect(sockets.clients.size).toBe(0)
    })
    minutes(60)
    expect(line.state).toBe('live')
    post('c')
    post('d')
    cast()

    vi.spyOn(Math, 'random').mockReturnValue(1)
    const waits = vi.spyOn(line, 'later')
    show(true)
    await eventually(() => expect(cursors()).toBe('d c b'))
    await eventually(() => expect(versions).toEqual([version - 1, version]))
    expect(waits).not.toHaveBeenCalled()
    expect(asked).toEqual(['a', 'b'])
    expect(said.slice(4)).toEqual(['subscribe Bulletin:c', 'subscribe VoteProgress:v'])
    expect(line.state).toBe('live')
  })

  it('does not run after a line that breaks meanwhile, nor says that it is lost', async () => {
    const { line } = await import('./line.svelte')
    const { versions } = await watchTally('v')
    show(false)
    drop()
    await eventually(() => expect(sockets.clients.size).toBe(0))
    minutes(5)
    expect([versions.length, line.state]).toEqual([1, 'live'])
    show(true)
    await eventually(() => expect(versions).toHaveLength(2))
  })

  it('says so when there is no coming back', async () => {
    const { line } = await import('./line.svelte')
    await watchTally('v')
    show(false)
    minutes(1)
    drop()
    await eventually(() => expect(sockets.clients.size).toBe(0))
    vi.spyOn(line, 'subscribe').mockReturnValue(() => {})
    show(true)
    expect(line.state).toBe('live')
    minutes(0.1)
    expect(line.state).toBe('lost')
  })

  it('takes a new socket when it slept too soundly to rest', async () => {
    const { versions } = await watchTally('v')
    const [asleep] = sockets.clients
    vi.setSystemTime(Date.now() + 3_600_000)
    show(true)
    await eventually(() => expect(versions).toHaveLength(2))
    await eventually(() => expect(sockets.clients.has(asleep!)).toBe(false))
  })
})
