// The carrier port over SIP: real telephones through a trunk (field notes §1), with audio in the media pool.
import type { AgentSettings } from '../../agent/agent.ts'
import type { GatewayProbe, GatewayStanding } from '../../domain/gateway.ts'
import { type Evidence, noEvidence } from '../../domain/outcome.ts'
import type { Agent, Trunk } from '../../domain/workspace.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from '../carrier.ts'
import type { MediaPool } from '../rtp/media.ts'
import type { CallSnapshot } from './call.ts'
import { CarriedCall } from './carried-call.ts'
import type { DialogJournal } from './dialog-journal.ts'
import { GatewayWatch } from './gateway-watch.ts'
import { KnownTrunks } from './known-trunks.ts'
import { probeGateways, standingsOf } from './probe-gateways.ts'
import type { SipTrace } from './sip-trace.ts'
import type { SipTrunkSettings } from './trunk-settings.ts'
import type { UserAgent } from './user-agent.ts'

export interface SipCarrierOptions {
  agent: UserAgent
  media: MediaPool
  journal: DialogJournal
  trace: SipTrace
  clock: Clock
  logger: Logger
  /** Where RTP is bound. */
  localAddress: string
  /** What stands in SDP and Contact of a trunk that sets none. */
  publicAddress(settings: SipTrunkSettings): Promise<string>
  /** How a call's agent is reached; null: it cannot call. */
  agentSettings(agent: Agent): AgentSettings | null
  /** Told of each call from the dial to its end, so that its agent can hang it up from outside the stream. */
  held?: { hold(call: DialledCall): void; release(callId: string): void }
  /** Where to record a call that is to be recorded. */
  recordingPath(callId: string): string
}

export interface DialledCall {
  callId: string
  /** E.164. */
  from: string
  to: string
  agent: AgentSettings
  hangUp(): void
}

export class SipCarrier implements Carrier {
  readonly #options: SipCarrierOptions
  readonly #live = new Map<string, CarriedCall>()
  readonly #trunks: KnownTrunks
  readonly #watch: GatewayWatch

  constructor(options: SipCarrierOptions) {
    this.#options = options
    this.#trunks = new KnownTrunks(options.logger)
    this.#watch = new GatewayWatch(options.agent, options.clock)
  }

  dial(request: CallRequest, observer: CallObserver): Call {
    const { callId, agent } = request
    const read = this.#trunks.read(request.trunk)
    if ('error' in read) return this.#refuse(observer, refusal(488, `Trunk settings: ${read.error}`))
    if (this.#live.has(callId) || this.#options.journal.of(callId) !== null)
      return this.#refuse(observer, refusal(482, 'this Call-ID was dialled before'))
    const agentSettings = agent === undefined ? null : this.#options.agentSettings(agent)
    if (agentSettings === null)
      return this.#refuse(observer, { ...noEvidence, agentFailed: true, phrase: 'it has no connection' })
    const call = this.#carry(request, read.settings, agentSettings, observer)
    this.#live.set(callId, call)
    const { from, to } = request
    this.#options.held?.hold({ callId, from, to, agent: agentSettings, hangUp: () => call.hangUp() })
    this.#watch.used(read.settings)
    void call.start()
    return call
  }

  /**
   * Hangs up what the carrier still holds and says how far each call had come. A Call-ID of which a whole journal knows
   * nothing was never sent: it is withdrawn, and refused from now on.
   */
  rescue(trunk: Trunk, callIds: string[], dialogs?: (string | null)[]): Promise<RescueAnswer[]> {
    const read = this.#trunks.read(trunk)
    const credentials = 'error' in read ? null : read.settings.credentials
    return Promise.all(
      callIds.map(async (callId, index) => {
        const live = this.#live.get(callId)
        if (live !== undefined) {
          live.hangUp()
          return live.isAnswered ? 'answered' : 'unanswered'
        }
        const known = this.#options.journal.of(callId) !== null
        if (known || dialogs === undefined) return this.#rescueKept(callId, credentials)
        return this.#rescueElsewhere(dialogs[index] ?? null, credentials)
      }),
    )
  }

  async probe(trunk: Trunk, ask: boolean): Promise<GatewayProbe[]> {
    const read = this.#trunks.read(trunk)
    const { agent, clock } = this.#options
    return 'error' in read ? [] : probeGateways(read.settings, agent, clock, ask)
  }

  gateways(trunk: Trunk): GatewayStanding[] {
    const read = this.#trunks.read(trunk)
    return 'error' in read ? [] : standingsOf(read.settings, this.#options.agent.gateways())
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#options.agent.close()
    await this.#options.media.close()
    this.#options.journal.close()
  }

  async #rescueKept(callId: string, credentials: SipTrunkSettings['credentials']): Promise<RescueAnswer> {
    const { journal, agent } = this.#options
    const kept = journal.of(callId)
    if (kept === null) {
      journal.ended(callId, 'withdrawn')
      return journal.isWhole ? 'never-placed' : 'unknown'
    }
    if (kept.state === 'live') {
      const answer = await agent.hangUp(kept.snapshot, credentials)
      journal.ended(callId, answer === 'answered' ? 'answered' : 'unanswered')
      return answer
    }
    if (kept.end !== 'withdrawn') return kept.end
    return journal.isWhole ? 'never-placed' : 'unknown'
  }

  /** Another node's call. What it kept was on disk before its INVITE left: where nothing is, nothing left. */
  async #rescueElsewhere(
    dialog: string | null,
    credentials: SipTrunkSettings['credentials'],
  ): Promise<RescueAnswer> {
    if (dialog === null) return 'never-placed'
    return this.#options.agent.hangUp(JSON.parse(dialog) as CallSnapshot, credentials)
  }

  #carry(
    request: CallRequest,
    settings: SipTrunkSettings,
    agent: AgentSettings,
    observer: CallObserver,
  ): CarriedCall {
    const { journal, clock, media, localAddress, publicAddress, trace } = this.#options
    const recordingPath = request.record === true ? this.#options.recordingPath(request.callId) : null
    if (settings.trace || request.trace === true) trace.keep(request.callId)
    return new CarriedCall({
      request,
      settings,
      agent,
      media,
      localAddress,
      publicAddress: () => publicAddress(settings),
      recordingPath,
      observer,
      takeTrace: () => trace.take(request.callId),
      invite: (wanted, handlers) => this.#options.agent.invite(wanted, handlers),
      now: () => clock.now(),
      onChanged: snapshot => {
        journal.changed(snapshot)
        return observer.dialogChanged?.(JSON.stringify(snapshot))
      },
      onOver: evidence => {
        this.#live.delete(request.callId)
        this.#options.held?.release(request.callId)
        journal.ended(request.callId, evidence.answeredAt === null ? 'unanswered' : 'answered')
      },
    })
  }

  /** In the next turn: an observer hears nothing while `dial` is still running. */
  #refuse(observer: CallObserver, evidence: Evidence): Call {
    const { clock } = this.#options
    clock.at(clock.now(), () => observer.ended(evidence, clock.now()))
    return { hangUp() {} }
  }
}

function refusal(sipStatus: number, phrase: string): Evidence {
  return { ...noEvidence, sipStatus, phrase }
}
