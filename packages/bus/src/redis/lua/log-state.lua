--[[
  Included by every script: the keys of a namespace's log, its clock, and what its `meta` holds.

  KEYS (of all scripts; those of groups have more after them)
    1 meta      hash: epoch, head, headNonce, horizon, horizonNonce; bytes and horizonBytes (counted since the beginning, up to
                the head and up to the horizon); headTime; markSeq, markBytes (of the last mark), openTime (of the first event
                after it); generations (when each hash of deduplication was begun, oldest first); sparedEvents, sparedBytes; heavy
                (sources with more than their share, one a line)
    2 stream    ids `<seq>-<nonce>`, fields `t` (topic), `e` (text) and `a` (ms when it was appended; a release before this one has none)
    3 marks     list of `<seq> <nonce> <bytes> <timeMs>`: where the log can be cut
    4 topics    hash: topic → count, last seq and nonce, minute, events in that minute and in the one before
    5 names     zset of the topics, all of score 0: their order
    6 dedup     prefix of the hashes of deduplication: `<dedup>:<begun>`. Their names cannot be known before `meta` is read, and
                the clock that makes them is the server's; they share the hash tag, so they are on the same node.
                There is no key of the prefix itself, so that a Cluster runs no script on a part of the keys while it moves
                them: with one that is missing it answers TRYAGAIN.
                Field: an event's key; value: seq, nonce, ms since the hash was begun; how often it was published again, once it was
    7 spared    stream of events up to the horizon that retention spared: ids as in `stream`, fields `t`, `e`, `p` (nonce of the
                event before it) and `a` (ms, not before it was appended). Means nothing when `meta` has no sparedEvents
    8 flows     hash: source → what it has published lately; see log-retention
]]
local META, STREAM, MARKS, TOPICS, NAMES, DEDUP = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local SPARED, FLOWS = KEYS[7], KEYS[8]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The whole log begins anew: what is left of an older one means nothing without its meta.
local function beginLog(epoch)
  redis.call('UNLINK', META, STREAM, MARKS, TOPICS, NAMES, SPARED, FLOWS)
  redis.call('HSET', META, 'epoch', epoch, 'head', 0, 'headNonce', 0, 'horizon', 0, 'horizonNonce', 0)
  return { epoch = epoch, head = 0, headNonce = 0, horizon = 0, horizonNonce = 0, sparedEvents = 0 }
end

-- Of a log without any write, and of the position where every log begins.
local UNBEGUN = '0'

-- The log as its meta has it; one that has not begun takes no key.
local function readLog()
  local found = redis.call('HMGET', META, 'epoch', 'head', 'headNonce', 'horizon', 'horizonNonce', 'sparedEvents')
  if not found[1] then
    return { epoch = UNBEGUN, head = 0, headNonce = 0, horizon = 0, horizonNonce = 0, sparedEvents = 0 }
  end
  return {
    epoch = found[1],
    head = tonumber(found[2]),
    headNonce = tonumber(found[3]),
    horizon = tonumber(found[4]),
    horizonNonce = tonumber(found[5]),
    sparedEvents = tonumber(found[6] or 0),
  }
end

-- The log as it stands. `epoch` is for one that has lost its events and begins anew.
local function findLog(epoch)
  local log = readLog()
  -- All events were deleted from outside.
  if log.head > log.horizon and redis.call('EXISTS', STREAM) == 0 then
    return beginLog(epoch)
  end
  return log
end

-- For what writes: `epoch` is also for a log that has not begun, and begins now.
local function openLog(epoch)
  local log = findLog(epoch)
  return log.epoch == UNBEGUN and beginLog(epoch) or log
end

local function splitWords(text)
  local words = {}
  for word in string.gmatch(text or '', '%S+') do
    words[#words + 1] = word
  end
  return words
end

local function rangeOf(log)
  return log.epoch, log.horizon, log.horizonNonce, log.head, log.headNonce
end

-- The first spared event after `seq`, and the seq and nonce of it, and the nonce of the event before it.
local function nextSpared(log, seq)
  if log.sparedEvents == 0 or seq >= log.horizon then
    return nil
  end
  local entry = redis.call('XRANGE', SPARED, string.format('%.0f', seq + 1), '+', 'COUNT', 1)[1]
  if not entry then
    return nil
  end
  local itsSeq, itsNonce = string.match(entry[1], '^(%d+)-(%d+)$')
  return entry, tonumber(itsSeq), tonumber(itsNonce), tonumber(entry[2][6])
end

-- Where one goes on that reads from `seq`, from which one cannot go on: before the next event that is kept.
local function resumeAfter(log, seq)
  local found, itsSeq, _, before = nextSpared(log, seq)
  if found then
    return itsSeq - 1, before
  end
  return log.horizon, log.horizonNonce
end

-- The event at a position; nil when it is not kept.
local function eventAt(log, seq, nonce)
  local stream = STREAM
  if seq <= log.horizon then
    if log.sparedEvents == 0 then
      return nil
    end
    stream = SPARED
  end
  local id = string.format('%.0f-%.0f', seq, nonce)
  return redis.call('XRANGE', stream, id, id)[1]
end

-- Why one cannot go on from a position: 'retention', 'log_lost', or nil; and from where one can.
local function gapBehind(log, epoch, seq, nonce)
  if epoch == UNBEGUN then
    local _, itsSeq = nextSpared(log, 0)
    if log.horizon == 0 or itsSeq == 1 then
      return nil
    end
    return 'retention', resumeAfter(log, 0)
  end
  if epoch ~= log.epoch or seq > log.head then
    return 'log_lost', resumeAfter(log, 0)
  end
  if seq < log.horizon then
    local found, itsSeq, _, before = nextSpared(log, seq)
    if found and itsSeq == seq + 1 and before == nonce then
      return nil
    end
    return 'retention', resumeAfter(log, seq)
  end
  local same
  if seq == log.head then
    same = nonce == log.headNonce
  elseif seq == log.horizon then
    same = nonce == log.horizonNonce
  else
    local id = string.format('%.0f-%.0f', seq, nonce)
    same = #redis.call('XRANGE', STREAM, id, id) == 1
  end
  if same then
    return nil
  end
  return 'log_lost', resumeAfter(log, 0)
end
