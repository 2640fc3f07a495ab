-- @include log-state
-- @include event-index
--[[
  Finds the events with an id that are in the index, newest first.

  ARGV
    1 epoch      for a log that lost its events
    2 key        of the id
    3 beginning  of the texts of events with the id, and of no others
    4 before     seq: only events before it; 0: all
    5 limit      most events
    6 maxBytes   of text, after which it stops

  Returns { epoch, next, unindexedSeq, unindexedNonce, … }: next is the `before` to go on with, 0 when the index has no more;
  unindexed the newest event that is kept and not in the index, 0 when all are in it; then for each event id, topic, text, ms when it was appended.
]]
-- Blocks searched by one call: half a million events in about 2 ms, for which the script stops the server.
local MAX_BLOCKS = 128

local log = findLog(ARGV[1])
local index = findIndex(log)
local key, beginning, before = ARGV[2], ARGV[3], tonumber(ARGV[4])
local left, room = tonumber(ARGV[5]), tonumber(ARGV[6])
local from = index and index.from or log.head + 1
local answer = { log.epoch, 0, 0, 0 }

local function newestUpTo(seq)
  local entry
  if seq > log.horizon then
    entry = redis.call('XREVRANGE', STREAM, string.format('%.0f', seq), '-', 'COUNT', 1)[1]
  end
  if not entry and log.sparedEvents > 0 then
    entry = redis.call('XREVRANGE', SPARED, string.format('%.0f', math.min(seq, log.horizon)), '-', 'COUNT', 1)[1]
  end
  return entry
end
local unindexed = from > 1 and newestUpTo(from - 1)
if unindexed then
  local seq, nonce = string.match(unindexed[1], '^(%d+)-(%d+)$')
  answer[3], answer[4] = tonumber(seq), tonumber(nonce)
end
if not index then
  return answer
end

-- Adds the event `seq` if it is there and has the id. Whether there is room for another one.
local function add(stream, seq, timeAt)
  local id = string.format('%.0f', seq)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry and string.sub(entry[2][4], 1, #beginning) == beginning then
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = entry[2][2]
    answer[#answer + 1] = entry[2][4]
    answer[#answer + 1] = entry[2][timeAt] or ''
    left = left - 1
    room = room - #entry[2][4]
  end
  return left > 0 and room > 0
end

local function placesIn(block)
  local places, at = {}, 1
  while true do
    local found = string.find(block, key, at, true)
    if not found then
      return places
    end
    if (found - 1) % ID_KEY == 0 then
      places[#places + 1] = (found - 1) / ID_KEY
      at = found + ID_KEY
    else
      at = found + 1
    end
  end
end

if before == 0 then
  before = log.head + 1
end
local lowest = math.max(log.horizon + 1, from)
local blocks = 0
while before > lowest do
  if blocks == MAX_BLOCKS then
    answer[2] = before
    return answer
  end
  local number = math.floor((before - 2) / ID_BLOCK)
  local block = idBlock(log, number)
  local places = block and placesIn(block) or {}
  for index = #places, 1, -1 do
    local seq = number * ID_BLOCK + places[index] + 1
    if seq < before and seq >= lowest and not add(STREAM, seq, 6) then
      answer[2] = seq
      return answer
    end
  end
  before = number * ID_BLOCK + 1
  blocks = blocks + 1
end
local spared = log.sparedEvents > 0 and sparedSeqs(key) or {}
for index = #spared, 1, -1 do
  local seq = spared[index]
  if seq < before and seq <= log.horizon and not add(SPARED, seq, 8) then
    answer[2] = seq
    return answer
  end
end
return answer
