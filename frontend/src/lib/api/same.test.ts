import { expect, it } from 'vitest'
import { sameButLive } from './same'

const page = (notices: string[], heads = 1) => ({
  viewer: null,
  community: { id: 'c', notices: notices.map((id) => ({ id })), open: [{ id: 'v', tally: { version: heads } }], ledger: null },
})

it.each([
  ['the same', page(['a']), page(['a']), true],
  ['a tally that moved', page(['a'], 1), page(['a'], 9), true],
  ['another viewer', page(['a']), { ...page(['a']), viewer: { account: 'x' } }, true],
  ['a notice more', page(['a']), page(['b', 'a']), false],
  ['a notice less', page(['a', 'b']), page(['a']), false],
  ['others in their place', page(['a']), page(['b']), false],
  ['something that was hidden', page([]), { ...page([]), community: { ...page([]).community, ledger: { month: 1 } } }, false],
  ['a field more', { a: 1 }, { a: 1, b: 2 }, false],
  ['nothing any more', page(['a']), { viewer: null, community: null }, false],
  ['a list that became an object', { a: [] }, { a: {} }, false],
])('%s', (_name, one, other, same) => {
  expect(sameButLive(one, other)).toBe(same)
  expect(sameButLive(other, one)).toBe(same)
})
