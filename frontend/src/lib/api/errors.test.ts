import { expect, test } from 'vitest'
import { asRefusal, refusalFrom } from './errors'

test('what may have been recorded is sent again under the same key', () => {
  const said = (code: string) => refusalFrom([{ message: '', extensions: { code, zh: '一', en: 'one' } }] as never)
  expect(said('OUTCOME_UNKNOWN').mayHaveArrived).toBe(true)
  expect(asRefusal(new TypeError('fetch failed')).mayHaveArrived).toBe(true)
  expect(said('TRY_AGAIN').mayHaveArrived).toBe(false)
  expect(said('ALREADY_CAST').mayHaveArrived).toBe(false)
})
