import { beforeEach, expect, it } from 'vitest'
import { Refusal } from '$lib/api/errors'
import { session } from '$lib/session/session.svelte'
import { publishing } from './publishing.svelte'

const be = (account: string | null) => session.hear(account ? { account, communities: [] } : null)
const begin = () => publishing('notice 1', { title: '' })
const send = () => begin().send(() => Promise.resolve())

beforeEach(async () => {
  be('spring/committee')
  await send()
})

it('keeps what was typed while the session is over, for the same person only', () => {
  begin().draft.title = '停水'
  be(null)
  be('spring/manager')
  expect(begin().draft.title).toBe('')
  be('spring/committee')
  expect(begin().draft.title).toBe('停水')
})

it('begins anew once it is sent', async () => {
  begin().draft.title = '停水'
  await send()
  expect(begin().draft.title).toBe('')
})

it('sends what may have arrived under the same key again, also after another sign-in', async () => {
  const keys: string[] = []
  const lost = (key: string) => {
    keys.push(key)
    return Promise.reject(new Refusal('OUTCOME_UNKNOWN'))
  }
  await begin().send(lost)
  be(null)
  be('spring/committee')
  await begin().send(lost)
  expect(new Set(keys).size).toBe(1)
})
