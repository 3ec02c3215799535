/**
 * Amounts arrive as strings with exactly two decimals and stay exact: here they are hundredths in a bigint
 * (fen, or hundredths of a square metre). A float is made only for the length of a bar, in `share`.
 */
export function hundredths(text: string): bigint {
  const match = /^(-?)(\d+)\.(\d{2})$/.exec(text)
  if (!match) throw new TypeError(`Not an amount with two decimals: ${text}`)
  const value = BigInt(match[2] + match[3]!)
  return match[1] ? -value : value
}

/** Back to the form in which amounts travel. */
export function decimal(value: bigint): string {
  const digits = abs(value).toString().padStart(3, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

export function whole(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

/** 2,145.60 */
export function grouped(value: bigint): string {
  const [integer, fraction] = decimal(abs(value)).split('.')
  return `${value < 0n ? '−' : ''}${whole(BigInt(integer!))}.${fraction}`
}

/** ¥1,234.50, with a true minus sign before the currency. */
export function yuan(value: bigint): string {
  return `${value < 0n ? '−' : ''}¥${grouped(abs(value))}`
}

/** +¥1,234.50 or −¥1,234.50; nothing before ¥0.00. */
export function signedYuan(value: bigint): string {
  return `${value > 0n ? '+' : ''}${yuan(value)}`
}

/** The length of a bar, from 0 to 1. For nothing else: it is rounded. */
export function share(part: bigint, of: bigint): number {
  if (of <= 0n || part <= 0n) return 0
  return part >= of ? 1 : Number((part * 1_000_000n) / of) / 1_000_000
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}

export function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}

export function largest(values: readonly bigint[]): bigint {
  return values.reduce((top, value) => (value > top ? value : top), 0n)
}
