import { expect, it } from 'vitest'
import { amountInput, fen, wholeNumber } from './typed'

it.each([
  ['1234', 123400n],
  ['1,234.5', 123450n],
  ['¥1,234.50', 123450n],
  ['￥ 1,234.50 元', 123450n],
  ['１２３４．５６', 123456n],
  ['12。5', 1250n],
  ['0.07', 7n],
  ['100000000000', 10_000_000_000_000n],
])('%s is exact', (text, amount) => {
  expect(fen(text)).toBe(amount)
})

it.each(['', ' ', '1.234', '1.', '.5', '-5', '+5', '12,34', '1,2345', '1 234', '1e5', 'NaN', '0x10', '五百'])('%j is no amount', (text) => {
  expect(fen(text)).toBeNull()
})

it('sends two decimals', () => {
  expect(amountInput('1,234.5')).toBe('1234.50')
  expect(amountInput('7')).toBe('7.00')
})

it.each([
  ['600', 600],
  [' 6 ', 6],
  ['1,200', 1200],
  ['６００', 600],
  ['', null],
  ['1.5', null],
  ['-3', null],
  ['1,20', null],
  ['1000000000000', null],
])('%j places', (text, number) => {
  expect(wholeNumber(text)).toBe(number)
})
