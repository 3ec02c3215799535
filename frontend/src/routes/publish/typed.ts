import { decimal } from '$lib/format/amount'

const FULL_STOP = '\u3002' // 。
const YUAN = /\s*\u5143$/ // 元

/** What a Chinese keyboard types for digits, points and commas is meant as such. */
const plain = (text: string) => text.normalize('NFKC').replaceAll(FULL_STOP, '.').trim()

/** A whole number as people type it, with or without thousands; null where it is none. */
export function wholeNumber(text: string): number | null {
  const digits = plain(text)
  if (!/^(\d{1,9}|\d{1,3}(,\d{3}){1,2})$/.test(digits)) return null
  return Number(digits.replaceAll(',', ''))
}

/**
 * Yuan as people type them, in fen: 1234, 1,234.5, ¥1234.50, 1234.50 元. Null where it is none, and where a third
 * decimal would have to be rounded away: an amount is never changed.
 */
export function fen(text: string): bigint | null {
  const amount = plain(text).replace(/^\u00a5\s*/, '').replace(YUAN, '')
  const found = /^(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{1,2}))?$/.exec(amount)
  if (!found) return null
  return BigInt(found[1]!.replaceAll(',', '') + (found[2] ?? '').padEnd(2, '0'))
}

export const amountInput = (text: string) => decimal(fen(text) ?? 0n)
