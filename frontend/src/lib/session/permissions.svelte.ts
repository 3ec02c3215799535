import type { CommunityHead } from '../api/community'
import { session } from './session.svelte'

type Permission = CommunityHead['viewerPermissions'][number]

/** What the reader may do here: it comes with the page itself, so that nothing is drawn and taken back again. */
export function mayPublish(community: () => Pick<CommunityHead, 'viewerPermissions'> | null | undefined) {
  // Signing out takes the rights at once, before the page has been read anew.
  const granted = $derived(session.viewer && session.settled ? (community()?.viewerPermissions ?? []) : [])
  const has = (permission: Permission) => granted.includes(permission)

  return {
    get known() {
      return session.settled && !!community()
    },
    get notice() {
      return has('PUBLISH_NOTICE')
    },
    get entry() {
      return has('RECORD_ENTRY')
    },
    get event() {
      return has('PUBLISH_EVENT')
    },
  }
}
