/** The months of a book, named as 2026-05. */
const number = (month: string) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1
const name = (at: number) => `${String(Math.floor(at / 12)).padStart(4, '0')}-${String((at % 12) + 1).padStart(2, '0')}`

/** Every month from `first` to `last`, the newest first, quiet ones too; and `chosen`, wherever it lies. */
export function monthsOf(first: string, last: string, chosen: string): string[] {
  const [from, to] = [number(first), number(last)]
  const all = Array.from({ length: Math.max(0, to - from + 1) }, (_, step) => name(to - step))
  return all.includes(chosen) ? all : [...all, chosen].sort().reverse()
}

/** Newest first, the newest year first. */
export function byYear(months: readonly string[]): [string, string[]][] {
  const years = [...new Set(months.map((month) => month.slice(0, 4)))]
  return years.map((year) => [year, months.filter((month) => month.startsWith(year))])
}

/** Two whole years, of which `month` lies in the second, and the month behind them; null where no month is named so. */
export function twoYears(month: string): { years: [string, string]; before: string | null } {
  const year = Number(month.slice(0, 4))
  const named = (one: number) => name(one * 12).slice(0, 4)
  return { years: [named(year - 1), named(year)], before: year < 9999 ? name((year + 1) * 12) : null }
}
