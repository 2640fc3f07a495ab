--[[
  Included by every script: the keys of a namespace's log, its clock, and what its `meta` holds.

  KEYS (of all scripts; those of groups have more after them)
    1 meta      hash: epoch, head, headNonce, horizon, horizonNonce; bytes and horizonBytes (counted since the beginning, up to
                the head and up to the horizon); headTime; markSeq, markBytes (of the last mark), openTime (of the first event
                after it); generations (when each hash of deduplication was begun, oldest first)
    2 stream    ids `<seq>-<nonce>`, fields `t` (topic) and `e` (text)
    3 marks     list of `<seq> <nonce> <bytes> <timeMs>`: where the log can be cut
    4 topics    hash: topic → count, last seq and nonce, minute, events in that minute and in the one before
    5 names     zset of the topics, all of score 0: their order
    6 dedup     prefix of the hashes of deduplication: `<dedup>:<begun>`. Their names cannot be known before `meta` is read, and
                the clock that makes them is the server's; they share the hash tag, so they are on the same node.
                There is no key of the prefix itself, so that a Cluster runs no script on a part of the keys while it moves
                them: with one that is missing it answers TRYAGAIN.
                Field: an event's key; value: seq, nonce, ms since the hash was begun
]]
local META, STREAM, MARKS, TOPICS, NAMES, DEDUP = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The whole log begins anew: what is left of an older one means nothing without its meta.
local function beginLog(epoch)
  redis.call('UNLINK', META, STREAM, MARKS, TOPICS, NAMES)
  redis.call('HSET', META, 'epoch', epoch, 'head', 0, 'headNonce', 0, 'horizon', 0, 'horizonNonce', 0)
  return { epoch = epoch, head = 0, headNonce = 0, horizon = 0, horizonNonce = 0 }
end

-- Of a log that nobody has written to, and of the position where every log begins.
local UNBEGUN = '0'

-- The log as it stands; one that has not begun takes no key. `epoch` is for a log that has lost its events and begins anew.
local function findLog(epoch)
  local found = redis.call('HMGET', META, 'epoch', 'head', 'headNonce', 'horizon', 'horizonNonce')
  if not found[1] then
    return { epoch = UNBEGUN, head = 0, headNonce = 0, horizon = 0, horizonNonce = 0 }
  end
  local log = {
    epoch = found[1],
    head = tonumber(found[2]),
    headNonce = tonumber(found[3]),
    horizon = tonumber(found[4]),
    horizonNonce = tonumber(found[5]),
  }
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

-- Why one cannot go on from a position: 'retention', 'log_lost', or nil.
local function gapBehind(log, epoch, seq, nonce)
  if epoch == UNBEGUN then
    return log.horizon > 0 and 'retention' or nil
  end
  if epoch ~= log.epoch or seq > log.head then
    return 'log_lost'
  end
  if seq < log.horizon then
    return 'retention'
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
  return not same and 'log_lost' or nil
end
