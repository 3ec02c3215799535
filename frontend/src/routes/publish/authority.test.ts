import { expect, it } from 'vitest'
import { mayAllow } from './authority.svelte'

const vote = (matter: string, outcome: string | null, scope: object | null = null) => ({
  questions: [
    { id: 'a', matter: 'OTHER_MATTER', scope: null },
    { id: 'b', matter, scope },
  ],
  tally: {
    questions: [
      { questionId: 'b', outcome },
      { questionId: 'a', outcome: 'ADOPTED' },
    ],
  },
})

it('offers what was adopted by all owners on just that', () => {
  expect(mayAllow(vote('SPEND_INCOME', 'ADOPTED'), 'EXPENSE')).toBe(true)
  expect(mayAllow(vote('CHANGE_COMMON_PARTS', 'ADOPTED'), 'INCOME')).toBe(true)
})

it.each([
  ['SPEND_INCOME', 'NOT_ADOPTED', null],
  ['SPEND_INCOME', 'NO_QUORUM', null],
  ['SPEND_INCOME', 'PENDING', null],
  ['SPEND_INCOME', null, null],
  ['SPEND_INCOME', 'ADOPTED', { id: 'building' }],
  ['CHANGE_COMMON_PARTS', 'ADOPTED', null],
  ['USE_FUND', 'ADOPTED', null],
] as const)('offers nothing else for an expense: %s %s', (matter, outcome, scope) => {
  expect(mayAllow(vote(matter, outcome, scope), 'EXPENSE')).toBe(false)
})

it.each(['NOT_ADOPTED', 'NO_QUORUM', null])('offers no vote of which one such question is %s', (outcome) => {
  const beside = (scope: object | null) => {
    const { questions, tally } = vote('SPEND_INCOME', 'ADOPTED')
    return {
      questions: [{ id: 'c', matter: 'SPEND_INCOME', scope }, ...questions],
      tally: { questions: [...tally.questions, { questionId: 'c', outcome }] },
    }
  }
  expect(mayAllow(beside(null), 'EXPENSE')).toBe(false)
  expect(mayAllow(beside({ id: 'building' }), 'EXPENSE')).toBe(false)
})
