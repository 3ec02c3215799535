import { beforeEach, expect, it, vi } from 'vitest'

/** The other tabs of the same browser. */
class Others extends EventTarget {
  postMessage() {}
  tell(data: 'POST' | 'DELETE') {
    this.dispatchEvent(new MessageEvent('message', { data }))
  }
}

const others = new Others()
vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
vi.stubGlobal('addEventListener', () => {})
vi.stubGlobal('navigator', { onLine: true })
vi.stubGlobal('BroadcastChannel', function () {
  return others
})
vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ data: { viewer: null } }))))

const ME = { account: 'meizai-meicheng/resident-1', communities: [] }

async function tab() {
  const { session } = await import('./session.svelte')
  const { kept } = await import('../kept.svelte')
  session.hear(ME)
  kept.write('ballot', ['FOR'])
  return { session, kept }
}

beforeEach(() => void vi.resetModules())

it('whoever signs out in one tab leaves nothing in the others', async () => {
  const { session, kept } = await tab()
  others.tell('DELETE')
  expect([session.viewer, session.lapsed]).toEqual([null, null])
  session.hear(ME)
  expect(kept.read('ballot')).toBeNull()
})

it('nor in one whose session had ended before, and that still keeps what was typed', async () => {
  const { session, kept } = await tab()
  session.hear(null)
  expect(session.lapsed).toBe(ME.account)
  others.tell('DELETE')
  expect(session.lapsed).toBeNull()
  session.hear(ME)
  expect(kept.read('ballot')).toBeNull()
})
