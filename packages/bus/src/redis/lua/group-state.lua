-- @include log-state
--[[
  Included by every script of a group: its keys, the moves between the states of an event, and which deadlines have passed. Those that read it or settle
  something begin with a flag by which a server that is full runs them too, since deadlines that passed are written by all.

  KEYS (after those of the log)
     9 group      hash: topics (JSON), ackDeadlineMs, maxDeliveries, epoch, seq, nonce (the furthest position that the cursor has
                reached), deaths; see group-identity for what a release before this one does not write
    10 due        zset of what is in flight, by deadline in ms
    11 waiting    zset, by when it is due in ms
    12 records    hash: member → `<state> <life> <attempt> <deliveredAt> <deadAt> <consumer>`; states f (in flight), w (waiting), d (dead);
                life: 0, or the number of the redrive or seek with which it began;
                deadAt, of what waits: 1 when its deadline passed, else 0
    13 texts      hash: member → text
    14 histories  hash: `<member> <attempt>` → JSON of the attempt, for each that failed, the newest 50; `refused` in one that was
                refused without a reason
    15 dead       zset, by ordinal
    16 held       hash: consumer → how many it has in flight; none is 0
    17 groups     set of the names of the namespace's groups
    18 deleted    zset of the ids of groups that were deleted, by when, in ms
    19 makers     hash: agent → how many of the groups it has made; none is 0
    20 owned      set of the names of the groups that an agent owns
    21 uncounted  hash: member → how many deliveries of its life did not count; none is 0
    22 signs      hash: consumer → `<ms> <missed>`: its last sign of life, and how many deliveries it has let pass since
    23 journal, 24 blocks: see journal; 25 passes: see passes; 26 reports: see dead-letters

  A member is `<seq, 16 digits>-<nonce>-<epoch>`: what was taken from a log that was lost is not mistaken for what stands there now.
]]
local GROUP, DUE, WAITING, RECORDS, TEXTS = KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local HISTORIES, DEAD, HELD, GROUPS = KEYS[14], KEYS[15], KEYS[16], KEYS[17]
local DELETED, MAKERS, OWNED = KEYS[18], KEYS[19], KEYS[20]
local UNCOUNTED, SIGNS = KEYS[21], KEYS[22]
-- Values that a call takes at a time.
local SLICE = 2000
-- Most deadlines that one call judges.
local MAX_EXPIRED = 2000
-- A sign of life is not written when the last one is as new as this, in ms.
local SIGN_MS = 1000
local MAX_SIGNS = 1000

local function memberOf(epoch, seq, nonce)
  return string.format('%016.0f-%.0f-%s', seq, nonce, epoch)
end

-- `consumer`: another one than that of the record.
local function packRecord(record, consumer)
  return string.format('%s %d %d %.0f %.0f %s', record.state, record.life, record.attempt, record.deliveredAt, record.deadAt,
    consumer or record.consumer)
end

local function unpackRecord(text)
  local state, life, attempt, deliveredAt, deadAt, consumer = string.match(text, '^(%a) (%d+) (%d+) (%d+) (%d+) (.*)$')
  return {
    state = state,
    life = tonumber(life),
    attempt = tonumber(attempt),
    deliveredAt = tonumber(deliveredAt),
    deadAt = tonumber(deadAt),
    consumer = consumer,
    text = text,
  }
end

-- Calls a command with many values, in slices.
local function callWith(command, key, values)
  for from = 1, #values, SLICE do
    redis.call(command, key, unpack(values, from, math.min(from + SLICE - 1, #values)))
  end
end

local function getAll(key, members)
  local values = {}
  for from = 1, #members, SLICE do
    local slice = redis.call('HMGET', key, unpack(members, from, math.min(from + SLICE - 1, #members)))
    for _, value in ipairs(slice) do
      values[#values + 1] = value
    end
  end
  return values
end

-- Most groups have no delivery that did not count, and spare what it would cost to ask for each.
local hasUncounted = redis.call('EXISTS', UNCOUNTED) == 1

-- Members that have a record, each once, with their records.
local function findRecords(members)
  local found, records, seen = {}, {}, {}
  for index, text in ipairs(getAll(RECORDS, members)) do
    local member = members[index]
    if text and not seen[member] then
      seen[member] = true
      found[#found + 1] = member
      records[member] = unpackRecord(text)
      records[member].uncounted = 0
    end
  end
  if hasUncounted then
    for index, count in ipairs(getAll(UNCOUNTED, found)) do
      records[found[index]].uncounted = tonumber(count or 0)
    end
  end
  return found, records
end

-- @include dead-letters
-- When the deadline of each passes, of what is in flight: nil of the others.
local function deadlinesOf(members)
  local deadlines = {}
  for from = 1, #members, SLICE do
    local slice = redis.call('ZMSCORE', DUE, unpack(members, from, math.min(from + SLICE - 1, #members)))
    for index, score in ipairs(slice) do
      deadlines[members[from + index - 1]] = score and tonumber(score) or nil
    end
  end
  return deadlines
end

-- The attempts that `ARGV` names from `first` on, three values each after the member, that are in flight before their deadline. Each
-- member once.
local function openAttempts(first)
  local members, named = {}, {}
  for at = first, #ARGV, 4 do
    local member = ARGV[at]
    members[#members + 1] = member
    named[member] = named[member] or {}
    named[member][ARGV[at + 1] .. ' ' .. ARGV[at + 2] .. ' ' .. ARGV[at + 3]] = true
  end
  local open = {}
  local found, records = findRecords(members)
  local deadlines = deadlinesOf(found)
  for _, member in ipairs(found) do
    local record = records[member]
    local name = record.life .. ' ' .. record.attempt .. ' ' .. record.uncounted
    if record.state == 'f' and (deadlines[member] or 0) > now and named[member][name] then
      open[#open + 1] = member
    end
  end
  return open, records, deadlines
end

-- What a call changes, written at its end with few commands.
local changes

local function noChanges()
  changes = { held = {}, due = {}, notDue = {}, waiting = {}, notWaiting = {}, dead = {}, notDead = {}, records = {},
    histories = {}, texts = {}, settled = {}, notFailed = {}, uncounted = {}, notUncounted = {}, signs = {} }
end

noChanges()

local function add(list, ...)
  for _, value in ipairs({ ... }) do
    list[#list + 1] = value
  end
end

local function hold(consumer, by)
  changes.held[consumer] = (changes.held[consumer] or 0) + by
end

local function heldBy(consumer)
  return tonumber(redis.call('HGET', HELD, consumer) or 0)
end

local function signOf(consumer)
  local sign = changes.signs[consumer]
  if not sign then
    local at, missed = string.match(redis.call('HGET', SIGNS, consumer) or '', '^(%d+) (%d+)$')
    sign = { at = tonumber(at or 0), missed = tonumber(missed or 0) }
    changes.signs[consumer] = sign
  end
  return sign
end

local function showSign(consumer)
  local sign = signOf(consumer)
  if sign.missed > 0 or now - sign.at >= SIGN_MS then
    sign.at, sign.missed, sign.isNew = now, 0, true
  end
end

local function letPass(consumer)
  local sign = signOf(consumer)
  sign.missed, sign.isNew = sign.missed + 1, true
end

local function forgetOldSigns()
  local all = redis.call('HGETALL', SIGNS)
  local oldest = {}
  for at = 1, #all, 2 do
    oldest[#oldest + 1] = { name = all[at], at = tonumber(string.match(all[at + 1], '^%d+')) }
  end
  table.sort(oldest, function(a, b) return a.at < b.at end)
  for at = 1, #oldest - MAX_SIGNS * 0.9 do
    redis.call('HDEL', SIGNS, oldest[at].name)
  end
end

local function writeSigns()
  for consumer, sign in pairs(changes.signs) do
    if sign.isNew then
      local isAdded = redis.call('HSET', SIGNS, consumer, string.format('%.0f %d', sign.at, sign.missed))
      if isAdded == 1 and redis.call('HLEN', SIGNS) > MAX_SIGNS then
        forgetOldSigns()
      end
    end
  end
end

-- Whether there is another member that has let nothing pass since its last sign of life.
local function hasOthers(consumer)
  local all = redis.call('HGETALL', SIGNS)
  for at = 1, #all, 2 do
    if all[at] ~= consumer and string.sub(all[at + 1], -2) == ' 0' then
      return true
    end
  end
  return false
end

local forget

local function writeChanges()
  writeSigns()
  for consumer, by in pairs(changes.held) do
    if by ~= 0 and redis.call('HINCRBY', HELD, consumer, by) <= 0 then
      redis.call('HDEL', HELD, consumer)
    end
  end
  callWith('ZREM', DUE, changes.notDue)
  callWith('ZREM', WAITING, changes.notWaiting)
  callWith('ZREM', DEAD, changes.notDead)
  callWith('ZADD', DUE, changes.due)
  callWith('ZADD', WAITING, changes.waiting)
  callWith('ZADD', DEAD, changes.dead)
  callWith('HSET', RECORDS, changes.records)
  callWith('HSET', TEXTS, changes.texts)
  callWith('HSET', HISTORIES, changes.histories)
  callWith('HDEL', HISTORIES, changes.notFailed)
  callWith('HDEL', RECORDS, changes.settled)
  callWith('HDEL', TEXTS, changes.settled)
  callWith('HSET', UNCOUNTED, changes.uncounted)
  callWith('HDEL', UNCOUNTED, changes.notUncounted)
  noChanges()
  local old = settleDeaths()
  if #old > 0 then
    local found, records = findRecords(old)
    for _, member in ipairs(found) do
      forget(member, records[member])
    end
    writeChanges()
  end
end

-- Where the history of an event is: a field for each failed attempt, since one for all would be written anew with each.
local function historyFields(member, record)
  local fields = {}
  for attempt = 1, record.state == 'f' and record.attempt - 1 or record.attempt do
    fields[attempt] = member .. ' ' .. attempt
  end
  return fields
end

-- The same without those that are not kept.
local function keptHistoryFields(member, record)
  local fields = {}
  for attempt = math.max(1, record.attempt - MAX_ATTEMPTS + 1), record.attempt do
    fields[#fields + 1] = member .. ' ' .. attempt
  end
  return fields
end

local function forgetHistory(member, record)
  for _, field in ipairs(historyFields(member, record)) do
    add(changes.notFailed, field)
  end
end

-- A failed attempt, as JSON.
local function attemptText(record, failure)
  return '{"attempt":' .. record.attempt
    .. ',"consumer":' .. cjson.encode(record.consumer)
    .. ',"deliveredAt":' .. string.format('%.0f', record.deliveredAt)
    .. ',"failedAt":' .. string.format('%.0f', failure.at)
    .. ',"reason":' .. failure.reason
    .. (failure.reason == 'null' and not failure.isLate and ',"refused":true}' or '}')
end

-- in flight → waiting, or dead after the last attempt. `failure` has `at`, `dueAt` (ms) and `reason` (JSON).
local function fail(group, member, record, failure)
  if failure.isLate then
    letPass(record.consumer)
  else
    showSign(record.consumer)
  end
  local attempt = attemptText(record, failure)
  add(changes.histories, member .. ' ' .. record.attempt, attempt)
  if record.attempt > MAX_ATTEMPTS then
    add(changes.notFailed, member .. ' ' .. (record.attempt - MAX_ATTEMPTS))
  end
  add(changes.notDue, member)
  hold(record.consumer, -1)
  if record.attempt < group.maxDeliveries then
    record.state, record.deadAt = 'w', failure.isLate and 1 or 0
    add(changes.waiting, failure.dueAt, member)
  else
    record.state, record.deadAt = 'd', now
    add(changes.dead, redis.call('HINCRBY', GROUP, 'deaths', 1), member)
    noteDeath(member, attempt)
  end
  add(changes.records, member, packRecord(record))
end

-- in flight → waiting, as if it had not been handed out.
local function giveBack(member, record)
  add(changes.notDue, member)
  hold(record.consumer, -1)
  record.state, record.deadAt, record.attempt, record.uncounted = 'w', 0, record.attempt - 1, record.uncounted + 1
  add(changes.waiting, now, member)
  add(changes.uncounted, member, record.uncounted)
  add(changes.records, member, packRecord(record))
end

local function forgetUncounted(member)
  if hasUncounted then
    add(changes.notUncounted, member)
  end
end

-- Any state → settled.
function forget(member, record)
  forgetUncounted(member)
  forgetHistory(member, record)
  if record.state == 'f' then
    add(changes.notDue, member)
    hold(record.consumer, -1)
  elseif record.state == 'w' then
    add(changes.notWaiting, member)
  else
    noteRaised(member, record)
    add(changes.notDead, member)
  end
  add(changes.settled, member)
end

-- The group as it is stored; nil when there is none. `epoch`, `seq` and `nonce` are the cursor. While it stands before the furthest
-- position that it has reached, `replay` has that one (upTo) and the life in which events up to there are taken again.
local function readGroup()
  local fields = redis.call('HMGET', GROUP, 'topics', 'ackDeadlineMs', 'maxDeliveries', 'epoch', 'seq', 'nonce', 'id', 'version',
    'paused', 'replayEpoch', 'replaySeq', 'replayNonce', 'replayLife', 'number', 'passes')
  if not fields[1] then
    return nil
  end
  local group = {
    topics = fields[1],
    ackDeadlineMs = tonumber(fields[2]),
    maxDeliveries = tonumber(fields[3]),
    epoch = fields[4],
    seq = tonumber(fields[5]),
    nonce = tonumber(fields[6]),
    id = fields[7],
    version = tonumber(fields[8] or 1),
    paused = fields[9],
    replayLife = tonumber(fields[13] or 0),
    number = fields[14],
    passes = fields[15],
  }
  -- A replica of the release before may have moved the group to another log.
  if fields[10] == group.epoch and tonumber(fields[11]) < group.seq then
    group.replay = { epoch = group.epoch, upTo = group.seq, life = tonumber(fields[13]) }
    group.seq, group.nonce = tonumber(fields[11]), tonumber(fields[12])
  end
  return group
end

-- Stores the cursor: as the furthest position, or beside it.
local function saveCursor(group)
  local replay = group.replay
  if replay and group.epoch == replay.epoch and group.seq < replay.upTo then
    redis.call('HSET', GROUP, 'replayEpoch', group.epoch, 'replaySeq', group.seq, 'replayNonce', group.nonce)
    return
  end
  redis.call('HSET', GROUP, 'epoch', group.epoch, 'seq', group.seq, 'nonce', group.nonce)
  if replay then
    redis.call('HDEL', GROUP, 'replayEpoch', 'replaySeq', 'replayNonce')
  end
end

-- The number of a life that begins now. A redrive by a replica of the release before adds one to the life of an event. Each needs a
-- death, so with the deaths added no such life is as large as a later number.
local function nextLife()
  return redis.call('HINCRBY', GROUP, 'lives', 1) + tonumber(redis.call('HGET', GROUP, 'deaths') or 0)
end

-- Nil when there is none. What passed its deadline is moved first, the oldest deadline first.
local function openGroup()
  local group = readGroup()
  if not group then
    return nil
  end
  local late = redis.call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, MAX_EXPIRED)
  if #late > 0 then
    local found, records = findRecords(late)
    local deadlines = deadlinesOf(found)
    for _, member in ipairs(found) do
      local deadline = deadlines[member]
      fail(group, member, records[member], { at = deadline, dueAt = deadline, reason = 'null', isLate = true })
    end
    writeChanges()
  end
  return group
end
