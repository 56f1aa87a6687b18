// The table of open calls is small and turns over all the time: each call leaves a dead row behind. The server cleans up by
// itself, once a minute at best by default; at thousands of calls a second a count of 1,000 open calls then reads 500,000
// dead rows first. So whoever has ended many calls has it cleaned, in the background.
import type { Connection } from './connection.ts'

/** Each one leaves about three dead rows: this many are cleaned within 100 ms. */
const cleanAfterCalls = 20_000

/** To be told how many calls have ended. One that another node cleans for at this moment is passed over. */
export function openAttemptsCleaner(connection: Connection): (ended: number) => void {
  let sinceCleaned = 0
  let isCleaning = false
  return ended => {
    sinceCleaned += ended
    if (isCleaning || sinceCleaned < cleanAfterCalls) return
    sinceCleaned = 0
    isCleaning = true
    // What keeps it from cleaning keeps nobody from calling: the server does it later.
    const done = () => {
      isCleaning = false
    }
    connection.rows('VACUUM (SKIP_LOCKED, ANALYZE) open_attempts').then(done, done)
  }
}
