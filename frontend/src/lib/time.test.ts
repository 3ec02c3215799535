import { beforeEach, expect, test } from 'vitest'
import { serverClock } from './live/clock.svelte'
import { statusNow } from './time.svelte'

const CLOSES = '2026-06-12T12:00:00.000Z'

beforeEach(() => {
  serverClock.now = Date.parse(CLOSES)
})

test('from the close on an open vote is closed, counted or not', () => {
  expect(statusNow({ status: 'OPEN', closesAt: CLOSES })).toBe('CLOSED')
  serverClock.now -= 1
  expect(statusNow({ status: 'OPEN', closesAt: CLOSES })).toBe('OPEN')
})

test.each(['CLOSED', 'ANNULLED', 'ANNOUNCED', 'CERTIFIED'])('what the server says of %s stands whatever our clock says', (status) => {
  for (const day of [-1, 0, 1]) {
    serverClock.now = Date.parse(CLOSES) + day * 86_400_000
    expect(statusNow({ status, closesAt: CLOSES })).toBe(status)
  }
})
