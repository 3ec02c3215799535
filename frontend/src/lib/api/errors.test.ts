import { expect, test } from 'vitest'
import { asRefusal, refusalFrom } from './errors'

test('what may have been recorded is sent again under the same key', () => {
  const said = (code: string) => refusalFrom([{ message: '', extensions: { code, zh: '一', en: 'one' } }] as never)
  expect(said('OUTCOME_UNKNOWN').mayHaveArrived).toBe(true)
  expect(asRefusal(new TypeError('fetch failed')).mayHaveArrived).toBe(true)
  expect(said('INTERNAL').mayHaveArrived).toBe(true)
  expect(said('TRY_AGAIN').mayHaveArrived).toBe(false)
  expect(said('ALREADY_CAST').mayHaveArrived).toBe(false)
})

test('the field at fault comes along', () => {
  const refused = (extensions: object) => refusalFrom([{ message: '', extensions }] as never)
  expect(refused({ code: 'INVALID_INPUT', field: 'notice.title' }).field).toBe('notice.title')
  expect(refused({ code: 'INVALID_INPUT' }).field).toBeUndefined()
  expect(refused({ code: 'INVALID_INPUT', field: 7 }).field).toBeUndefined()
})
