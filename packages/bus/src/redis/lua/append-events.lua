-- @include log-state
-- @include log-retention
--[[
  Adds events that are not known yet, counts their topics, and cuts the log down to its limits.

  ARGV
    1 epoch         for a log that is not there yet
    2 nonce         of this call
    3 maxEvents   4 maxBytes   5 maxAgeMs
    6 windowMs      how long a record of deduplication counts
    7 generationMs  how long records go into the same hash
    8 maxTopics     more are not counted
    9 idKeys        for the index, 8 characters for each event; '' when there is none
   10 …             for each event (1,000 at most; a Lua stack has room for about 8,000 values): key, topic, text

  Returns { epoch, headNonce, appendedAt, … }: the nonce of the head before the call; ms; for each event its seq when it was added, else
  '<seq>-<nonce>' of the first one.
]]
local FIRST = 10
local RECORD, RECORD_BYTES = '<I6I4I4', 14
local TOPIC = '<I6I6I4I4I4I4'
local nonce, windowMs, generationMs = tonumber(ARGV[2]), tonumber(ARGV[6]), tonumber(ARGV[7])
local log = openLog(ARGV[1])
openRetention(log, { maxEvents = tonumber(ARGV[3]), maxBytes = tonumber(ARGV[4]), maxAgeMs = tonumber(ARGV[5]) })

local keys = {}
for at = FIRST, #ARGV, 3 do
  keys[#keys + 1] = ARGV[at]
end

-- The newest record comes first: an older one of the same key no longer counts.
local known, places, repeated = {}, {}, {}
local generations = liveGenerations(log, windowMs)
for index = #generations, 1, -1 do
  local begun = generations[index]
  local records = redis.call('HMGET', DEDUP .. ':' .. begun, unpack(keys))
  for event = 1, #keys do
    local record = records[event]
    if record and not known[keys[event]] then
      local seq, itsNonce, sinceBegun = struct.unpack(RECORD, record)
      if now - begun - sinceBegun < windowMs then
        known[keys[event]] = string.format('%.0f-%.0f', seq, itsNonce)
        places[keys[event]] = begun
      end
    end
  end
end

local current = generations[#generations]
local isNew = not current or now - current >= generationMs
if isNew then
  current = string.format('%.0f', now)
end
local sinceBegun = math.max(0, now - current)

markByAge(log)
local before = log.head
-- Times never go back with the position, whatever the clock does.
local appendedAt = string.format('%.0f', math.max(now, log.headTime))
local answer = { log.epoch, log.headNonce, appendedAt }
local suffix = '-' .. ARGV[2]
local records, idKeys = {}, {}
local used, counts, lasts = {}, {}, {}
for event = 1, #keys do
  local key = keys[event]
  if known[key] then
    answer[event + 3] = known[key]
    repeated[key] = (repeated[key] or 0) + 1
  else
    local at = FIRST + (event - 1) * 3
    local topic, text = ARGV[at + 1], ARGV[at + 2]
    local seq = log.head + 1
    local id = string.format('%.0f', seq) .. suffix
    redis.call('XADD', STREAM, id, 't', topic, 'e', text, 'a', appendedAt)
    countAppended(log, seq, nonce, #text)
    countFlow(text)
    answer[event + 3] = seq
    known[key] = id
    idKeys[#idKeys + 1] = string.sub(ARGV[9], (event - 1) * ID_KEY + 1, event * ID_KEY)
    records[#records + 1] = key
    records[#records + 1] = struct.pack(RECORD, seq, nonce, sinceBegun)
    if not counts[topic] then
      used[#used + 1] = topic
    end
    counts[topic] = (counts[topic] or 0) + 1
    lasts[topic] = seq
  end
end

if log.head > before then
  if (log.index and ARGV[9] == '') or log.hasOldIndex then
    dropIndex()
    log.index = nil
  end
  if ARGV[9] ~= '' then
    if not log.index then
      -- Of a log that began anew, too.
      redis.call('UNLINK', IDS, OPEN_IDS, SPARED_IDS)
      log.index = { from = before + 1 }
    end
    indexAppended(before + 1, table.concat(idKeys))
  end
  redis.call('HSET', DEDUP .. ':' .. current, unpack(records))
  if isNew then
    generations[#generations + 1] = current
    redis.call('PEXPIRE', DEDUP .. ':' .. current, windowMs + 2 * generationMs + 60000)
  end

  local minute = math.floor(now / 60000)
  local stored = redis.call('HMGET', TOPICS, unpack(used))
  local free = ARGV[8] - redis.call('ZCARD', NAMES)
  local changed, added = {}, {}
  for index, topic in ipairs(used) do
    local count, itsMinute, inMinute, inLast = 0, minute, 0, 0
    local value = stored[index]
    if value then
      local _
      count, _, _, itsMinute, inMinute, inLast = struct.unpack(TOPIC, value)
    elseif free > 0 then
      free = free - 1
      added[#added + 1] = 0
      added[#added + 1] = topic
      value = true
    end
    if value then
      if itsMinute < minute then
        inLast = itsMinute == minute - 1 and inMinute or 0
        itsMinute, inMinute = minute, 0
      end
      local more = counts[topic]
      changed[#changed + 1] = topic
      changed[#changed + 1] =
        struct.pack(TOPIC, count + more, lasts[topic], nonce, itsMinute, inMinute + more, inLast)
    end
  end
  if #changed > 0 then
    redis.call('HSET', TOPICS, unpack(changed))
  end
  if #added > 0 then
    redis.call('ZADD', NAMES, unpack(added))
  end
end

-- A record grows by the number of its duplicates with the first of them.
for key, more in pairs(repeated) do
  -- Without a place, the first one is of this call.
  local generation = DEDUP .. ':' .. (places[key] or current)
  local record = redis.call('HGET', generation, key)
  local before = #record > RECORD_BYTES and struct.unpack('<I4', record, RECORD_BYTES + 1) or 0
  local counted = string.sub(record, 1, RECORD_BYTES) .. struct.pack('<I4', before + more)
  redis.call('HSET', generation, key, counted)
end

saveFlows(log)
cut(log, 16)
saveLog(log, generations)
return answer
