/** Every address of the site, in one place. Numbers are the community's own, so that they fit on paper. */
const part = encodeURIComponent

export const paths = {
  home: () => '/',
  bulletin: (slug: string) => `/c/${part(slug)}`,
  vote: (slug: string, number: number) => `/c/${part(slug)}/v/${number}`,
  event: (slug: string, number: number) => `/c/${part(slug)}/e/${number}`,
  notice: (slug: string, number: number) => `/c/${part(slug)}/n/${number}`,
  entry: (slug: string, number: number) => `/c/${part(slug)}/l/${number}`,
  ledger: (slug: string, month?: string) => `/c/${part(slug)}/ledger${month ? `?month=${part(month)}` : ''}`,
  publish: (slug: string, what?: 'notice' | 'event') => `/c/${part(slug)}/publish${what ? `?what=${what}` : ''}`,
}
