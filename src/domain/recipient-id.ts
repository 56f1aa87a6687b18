// A recipient's id says where it stands: the batch, and the position in it. Every store keeps to it.

/** Positions of one batch; ids stay exact integers up to 900 million batches. */
const positionsPerBatch = 10_000_000

export const maxRecipientsPerBatch = positionsPerBatch - 1

/** Position 0 is the bound below the first recipient. */
export const recipientId = (batchId: number, position: number): number =>
  batchId * positionsPerBatch + position

export const positionOf = (id: number): number => id % positionsPerBatch

export const batchIdOf = (id: number): number => Math.floor(id / positionsPerBatch)
