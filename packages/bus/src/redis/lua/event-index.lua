--[[
  Included by what writes, cuts or searches the index of ids.

  KEYS (after those of log-state)
    9 ids         hash: number of a block → the keys of its events, 8 characters each. Block n is of the events n * 4096 + 1 on
   10 open ids    string: the same of the block that is not full yet, which the next event belongs to
   11 spared ids  hash: a key → the seqs of the events up to the horizon that have it and were spared, 6 bytes each

  `meta` has indexFrom (the first event in the index), indexTo and indexHorizon (head and horizon when it was last written). A release
  that knows no index moves only those of the log: then the index does not count, and begins anew with the next append.
  A block goes when the horizon has passed all of it. Its spared events are found by `spared ids`, and know their keys (`k` in `spared`).
]]
local IDS, OPEN_IDS, SPARED_IDS = KEYS[9], KEYS[10], KEYS[11]
local ID_KEY, ID_BLOCK = 8, 4096

-- The index, and whether there is one that does not count.
local function findIndex(log)
  local found = redis.call('HMGET', META, 'indexFrom', 'indexTo', 'indexHorizon')
  if found[1] and tonumber(found[2]) == log.head and tonumber(found[3]) == log.horizon then
    return { from = tonumber(found[1]) }, false
  end
  return nil, found[1] and true or false
end

local function dropIndex()
  redis.call('UNLINK', IDS, OPEN_IDS, SPARED_IDS)
  redis.call('HDEL', META, 'indexFrom', 'indexTo', 'indexHorizon')
end

-- The keys of a block; nil when it was removed.
local function idBlock(log, number)
  if number == math.floor(log.head / ID_BLOCK) then
    return redis.call('GET', OPEN_IDS)
  end
  return redis.call('HGET', IDS, string.format('%.0f', number))
end

-- Puts events into the index whose keys are in `keys`, one after another; the first is the event `seq`.
local function indexAppended(seq, keys)
  local at = 1
  while at <= #keys do
    local place = (seq - 1) % ID_BLOCK
    local part = string.sub(keys, at, at + (ID_BLOCK - place) * ID_KEY - 1)
    local length = redis.call('SETRANGE', OPEN_IDS, place * ID_KEY, part)
    if length == ID_BLOCK * ID_KEY then
      redis.call('HSET', IDS, string.format('%.0f', math.floor((seq - 1) / ID_BLOCK)), redis.call('GET', OPEN_IDS))
      redis.call('DEL', OPEN_IDS)
    end
    seq = seq + #part / ID_KEY
    at = at + #part
  end
end

-- The key of the event `seq`; nil when it is not in the index. Keeps the last block in `log.index`, since it is called for one event after another.
local function idKeyAt(log, seq)
  local index = log.index
  if not index or seq < index.from then
    return nil
  end
  local number = math.floor((seq - 1) / ID_BLOCK)
  if index.blockNumber ~= number then
    index.blockNumber, index.block = number, idBlock(log, number)
  end
  local place = (seq - 1) % ID_BLOCK
  return index.block and string.sub(index.block, place * ID_KEY + 1, (place + 1) * ID_KEY) or nil
end

local function indexSpared(key, seq)
  redis.call('HSET', SPARED_IDS, key, (redis.call('HGET', SPARED_IDS, key) or '') .. struct.pack('<I6', seq))
end

local function sparedSeqs(key)
  local seqs, packed = {}, redis.call('HGET', SPARED_IDS, key) or ''
  for at = 1, #packed, 6 do
    seqs[#seqs + 1] = struct.unpack('<I6', packed, at)
  end
  return seqs
end

local function unindexSpared(key, seq)
  local left = {}
  for _, other in ipairs(sparedSeqs(key)) do
    if other ~= seq then
      left[#left + 1] = struct.pack('<I6', other)
    end
  end
  if #left == 0 then
    redis.call('HDEL', SPARED_IDS, key)
  else
    redis.call('HSET', SPARED_IDS, key, table.concat(left))
  end
end

-- Removes the blocks that the horizon has passed since it was at `before`.
local function cutIndex(log, before)
  for number = math.floor(before / ID_BLOCK), math.floor(log.horizon / ID_BLOCK) - 1 do
    redis.call('HDEL', IDS, string.format('%.0f', number))
  end
end
