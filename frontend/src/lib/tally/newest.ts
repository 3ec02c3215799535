/** What came over the line, or the page that was read since: of one vote, whichever counts more ballots. */
export function newest<One extends { voteId: string; version: number }>(read: One, heard: One | null): One {
  return heard && heard.voteId === read.voteId && heard.version > read.version ? heard : read
}
