import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { graphql } from '../api/graphql'
import { request } from '../api/request'
import { kept } from '../kept.svelte'
import { line } from '../live/line.svelte'
import { session } from './session.svelte'

const ViewerQuery = graphql(`
  query Asked {
    viewer {
      account
    }
  }
`)
const ME = { account: 'meizai-meicheng/resident-1', communities: [] }

/** What the server was asked, and what it answers. */
let asked: string[] = []
let viewer: typeof ME | null = null
let refused = false
let away = false

function server(path: string, { method }: { method: string }): Promise<Response> {
  asked.push(`${method} ${path}`)
  if (away) return Promise.reject(new TypeError('away'))
  if (path === '/session') return Promise.resolve(new Response(null, { status: 204 }))
  const body = refused ? { errors: [{ message: '', extensions: { code: 'UNAUTHENTICATED' } }] } : { data: { viewer } }
  return Promise.resolve(new Response(JSON.stringify(body), { status: refused ? 401 : 200 }))
}

async function over() {
  line.sessionOver()
  await vi.advanceTimersByTimeAsync(2_000)
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  vi.advanceTimersByTime(120_000) // since the last of these
  vi.stubGlobal('fetch', server)
  vi.spyOn(line, 'reopen').mockImplementation(() => {})
  viewer = null
  refused = away = false
  session.hear(ME)
  asked = []
  vi.mocked(line.reopen).mockClear()
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.setSystemTime(Date.now() + 120_000)
})

it.each([false, true])('whose session ended goes on as a stranger, without the cookie (401: %s)', async (unknown) => {
  refused = unknown
  const before = session.turn
  await over()
  expect(session.viewer).toBeNull()
  expect(session.known).toBe(true)
  expect(asked).toEqual(['POST /graphql', 'DELETE /session'])
  expect(session.turn).toBe(before + 1)
  expect(line.reopen).toHaveBeenCalledTimes(1)
})

it('says whose session it was, until somebody signs in', async () => {
  await over()
  expect(session.lapsed).toBe(ME.account)
  const before = session.signIns
  session.hear(ME)
  expect(session.lapsed).toBeNull()
  expect(session.signIns).toBe(before + 1)
})

it('a deed that is refused for want of a session tells it at once', async () => {
  refused = true
  await expect(request(ViewerQuery, {})).rejects.toThrow('UNAUTHENTICATED')
  await vi.advanceTimersByTimeAsync(0)
  expect(session.viewer).toBeNull()
  expect(session.lapsed).toBe(ME.account)
  expect(asked).toEqual(['POST /graphql', 'POST /graphql', 'DELETE /session'])
})

it('a refusal among data tells it, too, and a stranger is not asked who he is', async () => {
  const partly = { data: { viewer: null, node: null }, errors: [{ message: '', extensions: { code: 'UNAUTHENTICATED' } }] }
  vi.stubGlobal('fetch', (path: string, init: { method: string }) => {
    asked.push(`${init.method} ${path}`)
    return Promise.resolve(new Response(JSON.stringify(partly)))
  })
  await request(ViewerQuery, {})
  await vi.advanceTimersByTimeAsync(0)
  expect(session.viewer).toBeNull()
  asked = []
  await request(ViewerQuery, {})
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual(['POST /graphql'])
})

it('a page that was read as a stranger tells it, and the cookie is put away', async () => {
  const before = session.turn
  session.hear(null)
  await vi.advanceTimersByTimeAsync(0)
  expect(session.lapsed).toBe(ME.account)
  expect(session.turn).toBe(before + 1)
  expect(asked).toEqual(['DELETE /session'])
  session.hear(null)
  expect(session.turn).toBe(before + 1)
})

it('a session that ends soon after a new sign-in is noticed, too', async () => {
  await over()
  session.hear(ME)
  asked = []
  await over()
  expect(session.viewer).toBeNull()
  expect(asked).toEqual(['POST /graphql', 'DELETE /session'])
})

it('what was typed outlives a session that ends, and no sign-out', async () => {
  kept.write('ballot', ['FOR'])
  await over()
  expect(kept.read('ballot')).toBeNull()
  session.hear(ME)
  expect(kept.read('ballot')).toEqual(['FOR'])
  await session.signOut()
  expect(session.lapsed).toBeNull()
  session.hear(ME)
  expect(kept.read('ballot')).toBeNull()
})

it('who signed in anew in another tab is that one here, too', async () => {
  viewer = { account: 'meizai-meicheng/resident-2', communities: [] }
  await over()
  expect(session.viewer?.account).toBe('meizai-meicheng/resident-2')
  expect(asked).toEqual(['POST /graphql'])
  expect(line.reopen).toHaveBeenCalledTimes(1)
})

it('signing out here is not taken for an end elsewhere', async () => {
  const out = session.signOut()
  line.sessionOver()
  await out
  await vi.advanceTimersByTimeAsync(2_000)
  expect(asked).toEqual(['DELETE /session'])
  expect(line.reopen).toHaveBeenCalledTimes(1)
})

it('a server that goes on refusing is not asked without rest', async () => {
  for (let times = 0; times < 10; times += 1) await over()
  expect(asked).toEqual(['POST /graphql', 'DELETE /session'])
  await vi.advanceTimersByTimeAsync(60_000)
  await over()
  expect(asked).toHaveLength(4)
})

it('a server that is away is asked again when the line is told again', async () => {
  away = true
  await over()
  expect(session.viewer).toEqual(ME)
  away = false
  await over()
  expect(session.viewer).toBeNull()
})
