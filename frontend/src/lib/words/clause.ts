/**
 * What a rule of law is cited by: 杭州市物业管理条例 16(10). The server writes it short; people read 第 16 条第 10 项.
 */
export interface Article {
  number: number
  /** 第 133 条之一: an article put in later. */
  inserted?: number
  /** 第 12 条至第 14 条. */
  until?: number
  paragraph?: number
  item?: number
}

export interface Clause {
  law: string
  articles: Article[]
}

/** Only what names itself a law or a rule is cited by article: "会议纪要 12" is the twelfth minutes, not an article. */
const LAW = /^《?([^\d《》]*?(?:法|法典|民法典|条例|规则|规约|公约|办法|规定|细则|解释|章程))》?\s*(?=第?\s*\d)/
const ARTICLE =
  /^第?\s*(\d+)\s*条?(?:\s*[-–—~至到]\s*第?\s*(\d+)\s*条?)?(?:\s*第\s*(\d+)\s*款)?((?:\s*\(\d+\))*)(?:\s*第\s*(\d+)\s*项)?$/

/** Null where it is anything but a law and its articles: then it stands as it was written. */
export function readClause(text: string): Clause | null {
  const plain = text.trim().replaceAll('（', '(').replaceAll('）', ')')
  const law = LAW.exec(plain)
  if (!law) return null
  const articles = plain.slice(law[0].length).split(/\s*[、,，;；和与]\s*/).map(readArticle)
  return articles.every((one) => one !== null) ? { law: law[1]!, articles } : null
}

function readArticle(text: string): Article | null {
  const match = ARTICLE.exec(text.trim())
  if (!match) return null
  const [, number, second, paragraph, brackets, item] = match
  const inner = [...(brackets ?? '').matchAll(/\d+/g)].map(([digits]) => Number(digits))
  if (inner.length > 2 || (inner.length === 2 && paragraph) || (inner.length > 0 && item)) return null
  const [first, last] = inner.length === 2 ? inner : [undefined, inner[0]]
  const article: Article = { number: Number(number) }
  // 12-14 are three articles, 133-1 is one that was put in after 133.
  if (second) article[Number(second) > article.number ? 'until' : 'inserted'] = Number(second)
  if (paragraph ?? first) article.paragraph = Number(paragraph ?? first)
  if (item ?? last) article.item = Number(item ?? last)
  return article
}
