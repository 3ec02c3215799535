import { describe, expect, it } from 'vitest'
import { decimal, hundredths } from '../format/amount'
import { en } from '../words/en'
import { zh } from '../words/zh'
import type { QuestionTally } from './fragment'
import { hindmost } from './hindmost'
import { beyondReach, needed, readNeed, readTally, SIDES, thresholds, type Side, type VoteStatus } from './reading'

type Ballots = Partial<Record<Side, [heads: number, area: string]>>
type Missing = { participation?: [string, string]; agreement?: [string, string] }

const ALL: [number, string] = [1652, '179486.27']

/** A tally as the server sends it: `missing` is the server's to say, the rest is summed here. */
function tally(ballots: Ballots, missing: Missing = {}, change: Partial<QuestionTally> & { need?: string } = {}): QuestionTally {
  const { need = '1/2', ...rest } = change
  const total = (sides: readonly Side[]): { heads: number; area: string } => ({
    heads: sides.reduce((sum, side) => sum + (ballots[side]?.[0] ?? 0), 0),
    area: decimal(sides.reduce((sum, side) => sum + hundredths(ballots[side]?.[1] ?? '0.00'), 0n)),
  })
  const participating = total(SIDES)
  const agreeing = total(rest.leader === 'FOR' ? ['FOR', 'FOLLOW'] : ['FOR'])
  const gate = (name: 'PARTICIPATION' | 'AGREEMENT', need: string, have: typeof participating, of: typeof participating, short?: [string, string]) => [
    { gate: name, measure: 'AREA' as const, need, clause: '民法典 278', have: have.area, of: of.area, missing: short?.[1] ?? '0.00', met: !Number(short?.[1] ?? 0) },
    { gate: name, measure: 'HEADS' as const, need, clause: '民法典 278', have: `${have.heads}.00`, of: `${of.heads}.00`, missing: short?.[0] ?? '0.00', met: !Number(short?.[0] ?? 0) },
  ]
  const eligible = { heads: ALL[0], area: ALL[1] }
  return {
    questionId: 'q',
    eligible,
    participating,
    agreeing,
    choices: SIDES.filter((side) => ballots[side]).map((side) => ({ choice: side, weight: { heads: ballots[side]![0], area: ballots[side]![1] } })),
    conditions: [
      ...gate('PARTICIPATION', '2/3', participating, eligible, missing.participation),
      ...gate('AGREEMENT', need, agreeing, participating, missing.agreement),
    ],
    leader: null,
    outcome: 'PENDING',
    ...rest,
  }
}

const some: Ballots = { FOR: [742, '80973.46'], AGAINST: [214, '24618.92'], ABSTAIN: [109, '11919.54'] }
const enough: Ballots = { FOR: [851, '92645.30'], AGAINST: [236, '25918.75'], ABSTAIN: [127, '13799.02'] }
const short: Missing = { participation: ['37.00', '2145.60'] }

const read = (question: QuestionTally, status: VoteStatus = 'OPEN') => readTally(question, status)!
const says = (question: QuestionTally, status: VoteStatus = 'OPEN') => {
  const reading = read(question, status)
  return { ask: zh.tally.ask[reading.standing], said: zh.tally.said[reading.standing], then: zh.tally.then(reading, beyondReach(reading)), spoken: zh.tally.spoken(reading) }
}

describe('while it is open', () => {
  it('too few: says what is missing, and how it stands among those who voted', () => {
    const question = tally(some, short)
    expect(read(question).standing).toBe('TOO_FEW')
    expect(says(question)).toEqual({
      ask: '投票的还不够，还差',
      said: undefined,
      then: '人数和面积都满三分之二，这次表决才算数。投了票的里面，赞同现在过半。',
      spoken: '共 1,652 户，1,065 户投了票。离三分之二还差 37 户、2,145.60 平方米。赞同现在过半。',
    })
    expect(zh.tally.short.sentence(read(question))).toBe(
      '投了票的 1,065 户里，赞同现在过半。',
    )
  })

  it('one measure is there: said as such, never as zero', () => {
    const question = tally(some, { participation: ['0.00', '2145.60'] })
    expect(says(question).spoken).toContain('还差 2,145.60 平方米。')
  })

  it('nobody yet: no word about agreement', () => {
    const none = tally({ FOR: [0, '0.00'], AGAINST: [0, '0.00'], ABSTAIN: [0, '0.00'] }, { participation: ['1102.00', '119657.52'], agreement: ['1.00', '0.01'] })
    expect(says(none).then).toBe('人数和面积都满三分之二，这次表决才算数。')
    expect(zh.tally.short.sentence(read(none))).toBe('还没有人投。')
  })

  it('enough came, not enough agree: what is missing comes from the server, because the mark moves', () => {
    const ballots: Ballots = { FOR: [866, '94127.34'], AGAINST: [237, '25681.19'], ABSTAIN: [85, '9144.82'] }
    const question = tally(ballots, { agreement: ['100.00', '10350.69'] }, { need: '3/4' })
    expect(read(question).standing).toBe('NOT_AGREED')
    expect(says(question)).toMatchObject({ ask: '投票的够了，赞同还差', then: '再来的业主若都投赞同，还要这么多才满四分之三。' })
    expect(zh.tally.axisNeeds('heads', read(question).agreement!.heads)).toBe('还要 100 户')
    expect(says(question).spoken).toBe('共 1,652 户，1,188 户投了票。投票的已满三分之二。赞同还没满四分之三。')
  })

  it('says when even all the others would not be enough, unless FOLLOW may still change', () => {
    const ballots: Ballots = { FOR: [300, '30000.00'], AGAINST: [900, '97000.00'], ABSTAIN: [0, '0.00'] }
    const question = tally(ballots, { agreement: ['601.00', '67000.01'] })
    expect(beyondReach(read(question))).toBe(true)
    expect(says(question).then).toBe('剩下的业主就是都投赞同，也没过半了。')
    expect(beyondReach(read(tally({ ...ballots, FOLLOW: [10, '1000.00'] }, { agreement: ['601.00', '67000.01'] })))).toBe(false)
  })

  it('is in reach as long as the very last of them agreeing would be enough', () => {
    // 1,652 parties and 179,531.25 m²; 1,200 came, so 452 can still come.
    const ballots: Ballots = { FOR: [300, '30000.00'], AGAINST: [900, '97000.00'], ABSTAIN: [0, '0.00'] }
    const { eligible, participating } = read(tally(ballots))
    const left = { heads: eligible.heads - participating.heads, area: eligible.area - participating.area }
    const square = (hundredths: bigint) => `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`
    const reach = (heads: bigint, area: bigint) => beyondReach(read(tally(ballots, { agreement: [`${heads}.00`, square(area)] })))
    expect(reach(left.heads, left.area)).toBe(false)
    expect(reach(left.heads + 1n, left.area)).toBe(true)
    expect(reach(left.heads, left.area + 1n)).toBe(true)
  })

  it('both gates hold', () => {
    expect(says(tally(enough))).toMatchObject({
      ask: '投票的业主',
      said: '够数了',
      then: '人数和面积都满了三分之二，这次表决算数。投了票的里面，赞同现在过半。',
    })
  })

  it('choices are kept back: only the turnout is told', () => {
    const hidden = tally(some, short, { choices: null, agreeing: null })
    const reading = read(hidden)
    expect(reading).toMatchObject({ agreement: null, sides: null, agreeing: null })
    expect(zh.tally.short.sentence(reading)).toBe('1,065 户投了票。怎么投的，截止后公布。')
    expect(zh.tally.spoken(reading)).toBe('共 1,652 户，1,065 户投了票。离三分之二还差 37 户、2,145.60 平方米。')
    expect(read(tally(enough, {}, { choices: null, agreeing: null })).standing).toBe('ENOUGH_HIDDEN')
  })

  it('FOLLOW is a side of its own between FOR and AGAINST, and the sum is said in words', () => {
    const ballots: Ballots = { FOR: [521, '57104.38'], FOLLOW: [249, '27549.70'], AGAINST: [198, '22386.75'], ABSTAIN: [97, '10471.09'] }
    const reading = read(tally(ballots, short, { leader: 'FOR' }))
    expect(reading.sides!.map(({ side }) => side)).toEqual(['FOR', 'FOLLOW', 'AGAINST', 'ABSTAIN'])
    expect(reading.agreeing).toEqual({ heads: 770n, area: 8465408n })
    const following = reading.sides![1]!.amounts
    expect(zh.tally.follow(reading, following, false)).toBe(
      '赞同在人数、面积上都领先，随多数的 249 户、27,549.70 ㎡ 现在算到赞同一边，合起来 770 户、84,654.08 ㎡。领先的变了，它们跟着变。',
    )
    expect(zh.tally.follow({ ...reading, leader: null }, following, false)).toContain('没有哪一边')
    expect(zh.tally.follow({ ...reading, leader: 'AGAINST' }, following, false)).toContain('算到反对一边。')
    expect(zh.tally.follow(reading, following, true)).toContain('当弃权算')
  })
})

describe('before and after', () => {
  it.each([
    ['ANNOUNCED', 'PENDING', 'NOT_YET_OPEN', '还没开始投。要算数，得来', undefined],
    ['CLOSED', 'ADOPTED', 'ADOPTED', '表决结束，这件事', '通过了'],
    ['ON_DISPLAY', 'NOT_ADOPTED', 'NOT_ADOPTED', '表决结束，这件事', '没有通过'],
    ['PUBLISHED', 'NO_QUORUM', 'NO_QUORUM', '表决结束，来投票的', '没有够数'],
    ['ANNULLED', 'ADOPTED', 'ANNULLED', '这次表决', '作废了'],
    ['CLOSED', 'PENDING', 'COUNTING', '投票截止了', '正在计票'],
  ] as const)('%s, %s', (status, outcome, standing, ask, said) => {
    const question = tally(some, short, { outcome })
    expect(read(question, status).standing).toBe(standing)
    expect(says(question, status)).toMatchObject({ ask, said })
  })

  it('names the measure that was short', () => {
    const byArea = tally(enough, { agreement: ['0.00', '12.00'] }, { outcome: 'NOT_ADOPTED' })
    expect(says(byArea, 'CLOSED').then).toContain('赞同的人数够了，面积没过半')
    expect(says(tally(some, short, { outcome: 'NO_QUORUM' }), 'CLOSED').then).toContain('还差 37 户、2,145.60 ㎡')
  })
})

describe('a consultation', () => {
  it('has no gates and cannot pass or fail', () => {
    expect(readTally({ ...tally(some), conditions: [], outcome: null }, 'OPEN')).toBeNull()
  })
})

describe('every state, in both languages', () => {
  const every = (Object.keys(zh.tally.ask) as (keyof typeof zh.tally.ask)[]).map((standing) => ({ ...read(tally(some, short)), standing }))

  it.each(every)('$standing is said whole', (reading) => {
    for (const words of [zh, en]) {
      const sentences = [words.tally.ask[reading.standing], words.tally.then(reading, false), words.tally.then(reading, true), words.tally.spoken(reading), words.tally.short.sentence(reading)]
      for (const sentence of sentences) expect(sentence).not.toMatch(/undefined|\bnull\b|NaN|\[object|^\s*$| {2}/)
    }
    expect(en.tally.then(reading, false) + en.tally.spoken(reading) + en.tally.short.sentence(reading)).not.toMatch(/\p{Script=Han}/u)
  })
})

describe('the mark', () => {
  const heads = (need: string, of: bigint) => [zh, en].map((words) => `${words.tally.mark(readNeed(need))} ${words.tally.markNeeds('heads', needed(readNeed(need), of))}`)
  const area = (need: string, of: string) => zh.tally.markNeeds('area', needed(readNeed(need), hundredths(of)))

  it('is the least amount that meets a need which includes the number', () => {
    expect(heads('2/3', 1652n)).toEqual(['三分之二 要 1,102 户', 'two thirds needs 1,102 owners'])
    expect(heads('2/3', 3n)[0]).toBe('三分之二 要 2 户')
    expect(heads('3/4', 1188n)[0]).toBe('四分之三 要 891 户')
    expect(area('2/3', '179486.27')).toBe('要 119,657.52 ㎡')
    expect(area('3/4', '128953.35')).toBe('要 96,715.02 ㎡')
  })

  it('is a whole one above the half where the half must be exceeded', () => {
    expect(heads('1/2', 601n)).toEqual(['过半 要 301 户', 'over half needs 301 owners'])
    expect(heads('1/2', 600n)[0]).toBe('过半 要 301 户')
    expect(heads('1/2', 1n)).toEqual(['过半 要 1 户', 'over half needs 1 owner'])
    expect(area('1/2', '65911.27')).toBe('要 32,955.64 ㎡')
    expect(area('1/2', '65911.28')).toBe('要 32,955.65 ㎡')
  })

  it('is met by itself and by nothing less, whatever it is a share of', () => {
    for (const text of ['1/2', '2/3', '3/4']) {
      const need = readNeed(text)
      const meets = (part: bigint, of: bigint) =>
        need.exceeded ? part * need.denominator > of * need.numerator : part * need.denominator >= of * need.numerator
      for (let of = 1n; of < 200n; of++) {
        const least = needed(need, of)
        expect([meets(least, of), meets(least - 1n, of)]).toEqual([true, false])
      }
    }
  })

  it('is named as what has to be exceeded also where all who may vote are counted', () => {
    const half = tally(some, short)
    for (const condition of half.conditions) condition.need = '1/2'
    const { spoken, then } = says(half)
    expect(spoken).toContain('离过半还差 37 户')
    expect(then + spoken + says({ ...half, outcome: 'NO_QUORUM' }, 'CLOSED').then).not.toContain('一半')
  })
})

describe('what a listener hears about', () => {
  it('is a threshold that was crossed, not each ballot', () => {
    const before = read(tally(some, short))
    const oneMore = read(tally({ ...some, FOR: [743, '81063.06'] }, { participation: ['36.00', '2056.00'] }))
    expect(thresholds(oneMore)).toBe(thresholds(before))
    expect(thresholds(read(tally(some, { participation: ['0.00', '2056.00'] })))).not.toBe(thresholds(before))
  })
})

describe('several questions', () => {
  it('are stood for by the one that still needs most', () => {
    const near = read(tally(some, short))
    const far = read(tally(some, { participation: ['900.00', '90000.00'] }))
    expect(hindmost([near, far])).toBe(far)
    expect(hindmost([read(tally(enough)), near])).toBe(near)
    expect(hindmost([])).toBeUndefined()
  })
})

describe('what a listener hears of several questions', () => {
  const pump = { title: '换水泵', reading: read(tally(enough)) }
  const lift = { title: '修电梯', reading: read(tally(enough, { agreement: ['17.00', '0.00'] }, { need: '3/4' })) }
  const fewer = { title: '刷外墙', reading: read(tally(some, short)) }

  it('is each by its title: none speaks for the whole vote', () => {
    expect(zh.tally.spokenAll([pump, lift])).toBe(
      '共 1,652 户，1,214 户投了票。换水泵：投票的已满三分之二。赞同现在过半。修电梯：投票的已满三分之二。赞同还没满四分之三。',
    )
    expect(en.tally.spokenAll([pump, lift])).toBe(
      '1,214 of 1,652 owners have voted. 换水泵: Two thirds took part. Agreement is over half now. 修电梯: Two thirds took part. Agreement is short of three quarters now.',
    )
  })

  it('says the turnout of each where they differ', () => {
    expect(zh.tally.spokenAll([pump, fewer])).toBe(
      `换水泵：${zh.tally.spoken(pump.reading)}刷外墙：${zh.tally.spoken(fewer.reading)}`,
    )
    expect(en.tally.spokenAll([pump, fewer])).toBe(`换水泵: ${en.tally.spoken(pump.reading)} 刷外墙: ${en.tally.spoken(fewer.reading)}`)
  })

  it('says the outcome of each once it is over', () => {
    const over = [
      { ...pump, reading: read(tally(enough, {}, { outcome: 'ADOPTED' }), 'CLOSED') },
      { ...lift, reading: read(tally(enough, {}, { outcome: 'NOT_ADOPTED' }), 'CLOSED') },
    ]
    expect(zh.tally.spokenAll(over)).toBe('共 1,652 户，1,214 户投了票。换水泵：表决结束，通过了。修电梯：表决结束，没有通过。')
  })

  it('is in square metres', () => {
    expect(zh.tally.spokenAll([fewer])).toContain('2,145.60 平方米')
    expect(en.tally.spokenAll([fewer])).toContain('2,145.60 square metres')
  })
})
