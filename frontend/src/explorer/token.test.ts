import { describe, expect, it } from 'vitest'
import { bare, headersOf, spoken } from './token'

describe('the token box', () => {
  it.each(['abc_-1', ' abc_-1 \n', 'Bearer abc_-1', 'bearer  abc_-1', 'Authorization: Bearer abc_-1', 'authorization: abc_-1'])(
    'takes %j',
    (typed) => {
      expect(headersOf(bare(typed))).toEqual({ Authorization: 'Bearer abc_-1' })
    },
  )

  it.each(['', ' ', 'Bearer '])('takes %j for no token', (typed) => {
    expect(headersOf(bare(typed))).toEqual({})
  })

  it('says who one is, or why one is nobody', () => {
    expect(spoken('abc', { data: { viewer: { account: 'spring/resident-1' } } }, 'nobody')).toBe('✓ spring/resident-1')
    expect(spoken('', { data: { viewer: null } }, 'nobody')).toBe('nobody')
    const wrong = { errors: [{ message: 'x', extensions: { zh: '令牌无效。', en: 'Unknown token.' } }] }
    expect(spoken('abc', wrong, 'nobody')).toBe('令牌无效。 Unknown token.')
    expect(spoken('abc', { errors: [{ message: 'x' }] }, 'nobody')).toBe('x')
  })
})
