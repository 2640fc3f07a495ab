#!lua flags=allow-oom
-- @include log-state
--[[
  Removes the blocks of the journal that have no event in the log any more, and the oldest ones beyond what may be kept. A server that is
  full runs it too, since it makes room.

  KEYS: those of the log, then journal and blocks; see journal

  ARGV
    1 block    positions in a block
    2 records  that are kept
]]
local JOURNAL, BLOCKS = KEYS[9], KEYS[10]
local size, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local log = readLog()
local before = resumeAfter(log, 0)
local kept, gone = {}, {}
for _, name in ipairs(redis.call('SMEMBERS', BLOCKS)) do
  local epoch, block = string.match(name, '^(.*):(%d+)$')
  block = tonumber(block)
  if most > 0 and epoch == log.epoch and (block + 1) * size - 1 > before then
    kept[#kept + 1] = { name = name, block = block }
  else
    gone[#gone + 1] = name
  end
end
table.sort(kept, function(a, b) return a.block > b.block end)
local records = 0
for _, block in ipairs(kept) do
  records = records + redis.call('HLEN', JOURNAL .. ':' .. block.name)
  if records > most then
    gone[#gone + 1] = block.name
  end
end
for _, name in ipairs(gone) do
  redis.call('UNLINK', JOURNAL .. ':' .. name)
  redis.call('SREM', BLOCKS, name)
end
return #gone
