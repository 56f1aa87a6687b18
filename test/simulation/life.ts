// One simulated life, from its seed: a workspace with its lists, the people in charge of it, nodes that come and go, and a
// world that is out to break the promises; then a fair world, in which everything must come to its end.
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { Chance } from './chance.ts'
import { PeopleInCharge } from './people-in-charge.ts'
import { type Figures, Story, type Violation } from './story.ts'
import { World } from './world.ts'

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute
const steps = 40
/** Narrow windows and patient retries can take weeks. */
const maxLifeMs = 60 * day
/** So long several nodes are watched while they bring things to their end; then one alone does, which needs no heartbeat. */
const togetherMs = 3 * minute
/** A call that nobody hangs up ends by itself after ten minutes. */
const lastCallsMs = 11 * minute
/** Winter, and a few hours around both changes of the clocks in New York. */
const starts = ['2026-01-05T10:00Z', '2026-03-08T05:40Z', '2026-11-01T04:40Z'].map(text => Date.parse(text))

export interface LifeReport {
  seed: number
  /** Of everything that happened, in order. */
  hash: string
  figures: Figures
  violation: Violation | null
  lastLines: string[]
}

/** `listen`: told each line of the story. */
export async function simulateLife(seed: number, listen?: (line: string) => void): Promise<LifeReport> {
  const life = new Life(seed, listen)
  const { story } = life.world
  try {
    await life.run()
  } catch (error) {
    story.broke(
      'never lost',
      `an error that nobody expected: ${error instanceof Error ? error.stack : error}`,
    )
  } finally {
    await life.world.close()
  }
  const { figures, violation } = story
  return { seed, hash: story.hash(), figures, violation, lastLines: story.lastLines() }
}

class Life {
  readonly world: World
  readonly #chance: Chance
  readonly #people: PeopleInCharge
  readonly #maxNodes: number

  constructor(seed: number, listen?: (line: string) => void) {
    this.#chance = new Chance(seed)
    const clock = new VirtualClock(this.#chance.pick(starts) + this.#chance.int(0, 40 * minute))
    const alone = this.#chance.happens(0.4)
    // Half of the lives have windows and trunks that rest, which take days, and no safety net, which is most of their work.
    const isLong = this.#chance.happens(0.5)
    this.#maxNodes = alone ? 1 : this.#chance.int(1, 4)
    const inProcess = alone && this.#chance.happens(0.3)
    const isTold = this.#chance.happens(0.35)
    this.world = new World({ seed, clock, alone, isLong, inProcess, isTold }, new Story(clock, listen))
    this.#people = new PeopleInCharge(new Chance(seed + 0x5eed), this.world)
  }

  get #isBroken(): boolean {
    return this.world.story.violation !== null
  }

  async run(): Promise<void> {
    await this.world.open()
    await this.#people.setUp()
    for (let step = 0; step < steps && !this.#isBroken; step++) {
      await this.#nodes()
      if (this.#chance.happens(0.8)) await this.#people.act()
      await this.world.pass(this.#span())
      await this.world.check()
    }
    if (!this.#isBroken) await this.#finish()
  }

  #span(): number {
    const ms = this.#chance.pick([0, 1, 50, 300, 2 * second, 9 * second, 30 * second, 3 * minute])
    return Math.round((ms * this.#chance.int(0, 100)) / 100)
  }

  /** Nodes are started, killed, sent to sleep and stopped; a store goes away and comes back. */
  async #nodes(): Promise<void> {
    const { world } = this
    const chance = this.#chance
    if (world.living().length === 0) await world.start()
    else if (world.living().length < this.#maxNodes && chance.happens(0.4)) await world.start()
    // Some die as they start.
    if (world.living().length === 0) return
    const node = chance.pick(world.living())
    switch (chance.int(0, 13)) {
      case 0:
        return node.kill()
      case 1:
        return node.alone ? undefined : node.sleep()
      case 2:
        return world.stop(node, chance.pick([0, second, minute]))
      case 3:
        world.weather.storeIsDown = true
        return
      case 4:
      case 5:
        world.weather.storeIsDown = false
        return
      case 6:
        if (world.weather.clocksJump)
          node.jump(chance.pick([-2 * 3_600_000, -1_500, 900, 20_000, 2 * 3_600_000]))
        return
      default:
    }
  }

  /** Left alone in a fair world, each batch completes with its last person, and nothing stays open anywhere. */
  async #finish(): Promise<void> {
    const { world } = this
    world.becomeFair()
    await this.#people.letGo()
    if (world.living().length === 0) await world.start()
    await world.pass(this.#chance.int(0, togetherMs))
    await world.check()
    await world.startAloneAtLast()
    await world.untilFinished(maxLifeMs, () => this.#people.letGo())
    if (this.#isBroken) return
    await world.pass(lastCallsMs)
    await world.untilTold(day)
    await world.check()
    await world.checkEnd()
  }
}
