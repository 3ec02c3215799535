import { beforeEach, describe, expect, it, vi } from 'vitest'
import { answersOf, asInput, ballotKey, forgetDraft, problemWith, saysNothing, storedDraft, storeDraft, toggled } from './draft'
import type { Question } from './query'

const one = { minChoices: 1, maxChoices: 1 }
const several = { minChoices: 2, maxChoices: 3 }

beforeEach(() => {
  const kept = new Map<string, string>()
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  })
})

describe('ticking', () => {
  it('replaces the only choice, switches one of several', () => {
    expect(toggled(one, ['FOR'], 'AGAINST')).toEqual(['AGAINST'])
    expect(toggled(one, ['FOR'], 'FOR')).toEqual(['FOR'])
    expect(toggled(several, ['a'], 'b')).toEqual(['a', 'b'])
    expect(toggled(several, ['a', 'b'], 'a')).toEqual(['b'])
  })

  it('says what is wrong while it can still be mended', () => {
    expect(problemWith(one, [])).toBe('pickFirst')
    expect(problemWith(one, ['FOR'])).toBeNull()
    expect(problemWith(several, ['a'])).toBe('pickAtLeast')
    expect(problemWith(several, ['a', 'b', 'c', 'd'])).toBe('pickAtMost')
    expect(problemWith({ minChoices: 0, maxChoices: 1 }, [])).toBeNull()
  })
})

describe('a ballot on which nothing stands', () => {
  const questions = [
    { id: 'q1', acceptsText: true },
    { id: 'q2', acceptsText: false },
  ]

  it.each([
    [{}, true],
    [{ q1: { choices: [], text: '' }, q2: { choices: [], text: '' } }, true],
    [{ q1: { choices: [], text: ' \n\u3000' } }, true],
    [{ q2: { choices: [], text: '这一题不收文字' } }, true],
    [{ other: { choices: ['a'], text: 'x' } }, true],
    [{ q1: { choices: [], text: '多种树' } }, false],
    [{ q2: { choices: ['a'], text: '' } }, false],
  ])('%j: %s', (answers, nothing) => {
    expect(saysNothing(questions, answers)).toBe(nothing)
  })
})

describe('a ballot in the box', () => {
  const ballot = { id: 'b', castAt: '2026-05-20T02:00:00Z', code: null, answers: null }

  it('is read as it was marked, by whoever cast it', () => {
    const answers = [{ questionId: 'q1', choices: ['FOR'], text: null }]
    expect(answersOf({ ...ballot, code: '7F3K-92QD-M4', answers })).toEqual({ q1: { choices: ['FOR'], text: '' } })
    expect(answersOf({ ...ballot, answers: [] })).toEqual({})
  })

  it('says nothing of its marks to another co-owner', () => {
    expect(answersOf(ballot)).toBeNull()
  })
})

describe('what is sent', () => {
  const questions = [
    { id: 'q1', acceptsText: false },
    { id: 'q2', acceptsText: true },
  ] as Question[]

  it('is one answer for each question, with text only where it is welcome', () => {
    const answers = { q1: { choices: ['FOR'], text: 'x' }, q2: { choices: ['a'], text: ' 谢谢 ' } }
    expect(asInput(questions, answers)).toEqual([
      { questionId: 'q1', choices: ['FOR'] },
      { questionId: 'q2', choices: ['a'], text: '谢谢' },
    ])
    expect(asInput(questions, {})[1]).toEqual({ questionId: 'q2', choices: [] })
  })

  it('keeps its key over retries, and takes a new one for another ballot', () => {
    const first = ballotKey('v', 'p', ['FOR'])
    expect(first).toMatch(/^[0-9a-f]{32}$/)
    expect(ballotKey('v', 'p', ['FOR'])).toBe(first)
    expect(ballotKey('v', 'other', ['FOR'])).not.toBe(first)
    expect(ballotKey('v', 'p', ['AGAINST'])).not.toBe(first)
    forgetDraft('v', 'p')
    expect(ballotKey('v', 'p', ['FOR'])).not.toBe(first)
  })

  it('outlives a reload until it has been sent', () => {
    storeDraft('v', 'p', { q1: { choices: ['FOR'], text: '' } })
    expect(storedDraft('v', 'p')).toEqual({ q1: { choices: ['FOR'], text: '' } })
    forgetDraft('v', 'p')
    expect(storedDraft('v', 'p')).toBeNull()
  })
})
