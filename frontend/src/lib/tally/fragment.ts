import { graphql, type ResultOf } from '../api/graphql'

export const TallyFragment = graphql(`
  fragment Tally on VoteProgress {
    voteId
    version
    eligible {
      heads
      area
    }
    participating {
      heads
      area
    }
    lastBallotAt
    questions {
      questionId
      eligible {
        heads
        area
      }
      participating {
        heads
        area
      }
      agreeing {
        heads
        area
      }
      choices {
        choice
        weight {
          heads
          area
        }
      }
      conditions {
        gate
        measure
        need
        clause
        have
        of
        missing
        met
      }
      leader
      outcome
    }
  }
`)

/** Only where the days are drawn, and with every tally that comes over the line. */
export const TurnoutFragment = graphql(`
  fragment Turnout on VoteProgress {
    turnoutByDay {
      day
      heads
    }
  }
`)

export const TallySubscription = graphql(
  `
    subscription VoteProgress($voteId: ID!) {
      voteProgress(voteId: $voteId) {
        ...Tally
        ...Turnout
      }
    }
  `,
  [TallyFragment, TurnoutFragment],
)

export type Tally = ResultOf<typeof TallyFragment> & Partial<ResultOf<typeof TurnoutFragment>>
export type QuestionTally = Tally['questions'][number]
