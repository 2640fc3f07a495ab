-- @include log-state
--[[
  What deduplication remembers of an event.

  ARGV
    1 epoch      for a log that has lost its events and begins anew
    2 key        of the event
    3 windowMs   how long a record counts

  Returns { epoch, seq, nonce, duplicates }; nil when it is not known.
]]
local RECORD, RECORD_BYTES = '<I6I4I4', 14
local windowMs = tonumber(ARGV[3])
local log = findLog(ARGV[1])
-- Those that have ended, too: freeing them is left to what writes.
local generations = splitWords(redis.call('HGET', META, 'generations'))
for index = #generations, 1, -1 do
  local begun = generations[index]
  local record = redis.call('HGET', DEDUP .. ':' .. begun, ARGV[2])
  if record then
    local seq, itsNonce, sinceBegun = struct.unpack(RECORD, record)
    if now - begun - sinceBegun < windowMs then
      local duplicates = #record > RECORD_BYTES and struct.unpack('<I4', record, RECORD_BYTES + 1) or 0
      return { log.epoch, seq, itsNonce, duplicates }
    end
  end
end
return false
