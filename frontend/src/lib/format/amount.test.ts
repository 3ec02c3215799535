import { describe, expect, it } from 'vitest'
import { decimal, grouped, hundredths, largest, share, signedYuan, sum, whole, yuan } from './amount'

describe('hundredths', () => {
  it('reads exact amounts, however large', () => {
    expect(hundredths('2145.60')).toBe(214560n)
    expect(hundredths('0.00')).toBe(0n)
    expect(hundredths('-428600.00')).toBe(-42860000n)
    expect(hundredths('90071992547409939.07')).toBe(9007199254740993907n)
  })

  it('refuses what is not an exact amount', () => {
    for (const text of ['2145.6', '2145', '2,145.60', '1e3', '', 'NaN', '1.234']) {
      expect(() => hundredths(text)).toThrow(TypeError)
    }
  })

  it('is undone by decimal', () => {
    for (const text of ['0.00', '0.07', '-0.07', '117511.92', '9007199254740993.01']) {
      expect(decimal(hundredths(text))).toBe(text)
    }
  })
})

describe('as people read them', () => {
  it('groups thousands', () => {
    expect(grouped(214560n)).toBe('2,145.60')
    expect(grouped(17948627n)).toBe('179,486.27')
    expect(grouped(5n)).toBe('0.05')
    expect(whole(1652)).toBe('1,652')
    expect(whole(37n)).toBe('37')
    expect(whole(1000000n)).toBe('1,000,000')
  })

  it('puts the sign before the currency', () => {
    expect(yuan(123450n)).toBe('¥1,234.50')
    expect(yuan(-123450n)).toBe('−¥1,234.50')
    expect(signedYuan(123450n)).toBe('+¥1,234.50')
    expect(signedYuan(-123450n)).toBe('−¥1,234.50')
    expect(signedYuan(0n)).toBe('¥0.00')
  })
})

describe('the books add up', () => {
  it('without losing a fen', () => {
    const opening = hundredths('286415.37')
    const closing = opening + hundredths('62252.60') - hundredths('30387.89')
    expect(yuan(closing)).toBe('¥318,280.08')
    expect(sum([1n, 2n, 3n])).toBe(6n)
    expect(sum([])).toBe(0n)
    expect(largest([3n, 9n, 4n])).toBe(9n)
  })
})

describe('share', () => {
  it('is a length between 0 and 1', () => {
    expect(share(0n, 10n)).toBe(0)
    expect(share(5n, 10n)).toBe(0.5)
    expect(share(11n, 10n)).toBe(1)
    expect(share(1n, 0n)).toBe(0)
    expect(share(-4n, 10n)).toBe(0)
  })
})
