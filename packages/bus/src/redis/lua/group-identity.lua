--[[
  Included by the scripts that make, steer and remove groups, and by those that answer what a group is.

  Fields of the group's hash that a release before this one neither reads nor writes, all absent at first:
    id            random, given with the first call of this release
    version       of the settings; absent is 1
    made          JSON of the settings that the group was made with; absent: those in force
    paused        JSON { reason, by, at }
    maker, madeBy, madeAt    the agent that made it ('' of an operator), its source, ms
    owner         the agent that owns it
    lives         how many redrives and seeks have taken a number
    replayEpoch, replaySeq, replayNonce    the cursor, while it stands before the furthest position that it has reached
    replayLife    the life in which events are taken again up to there
    secret        by which ids of its deliveries are known to be its own
    unsignedUntil ms until when ids without its proof are taken; absent: never
    number        of the group in the journal
    began         `<epoch> <seq> <nonce>`: where it began
    passes        what holds of the stretches in `passes`, see there

  Such a release goes on at the furthest position, after which no event is held, so it takes none twice.
]]
local MAX_DELETED = 10000
-- For how long ids without a proof are taken of a group that a release without secrets has made, in ms.
local UNSIGNED_MS = 24 * 3600000

-- id, version, topics, ackDeadlineMs, maxDeliveries, made, paused, owner, madeBy, madeAt, secret, unsignedUntil; what is absent is ''.
local function stateOf()
  local fields = redis.call('HMGET', GROUP, 'id', 'version', 'topics', 'ackDeadlineMs', 'maxDeliveries', 'made', 'paused', 'owner',
    'madeBy', 'madeAt', 'secret', 'unsignedUntil')
  for at = 1, 12 do
    fields[at] = fields[at] or ''
  end
  return fields
end

local function wasDeleted(id)
  return id ~= '' and redis.call('ZSCORE', DELETED, id) ~= false
end

-- Gives the group an id if a release before this one has made it.
local function identify(group, newId)
  if not group.id then
    group.id = newId
    redis.call('HSET', GROUP, 'id', newId)
  end
end

-- Gives the group a secret if a release without secrets has made it: ids without its proof may be under way.
local function giveSecret(secret)
  if redis.call('HSETNX', GROUP, 'secret', secret) == 1 then
    redis.call('HSET', GROUP, 'unsignedUntil', string.format('%.0f', now + UNSIGNED_MS))
  end
end

-- Removes the group with everything that it holds.
local function removeGroup(name)
  local maker = redis.call('HGET', GROUP, 'maker')
  if maker and maker ~= '' and redis.call('HINCRBY', MAKERS, maker, -1) <= 0 then
    redis.call('HDEL', MAKERS, maker)
  end
  redis.call('UNLINK', GROUP, DUE, WAITING, RECORDS, TEXTS, HISTORIES, DEAD, HELD, UNCOUNTED, SIGNS, KEYS[25])
  redis.call('SREM', GROUPS, name)
  redis.call('SREM', OWNED, name)
  redis.call('ZREM', REPORTS, name)
end
