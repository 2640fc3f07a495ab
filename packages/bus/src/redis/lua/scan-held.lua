#!lua flags=no-writes
-- @include group-state
--[[
  Events that a group holds whose text begins with a prefix, some at a time.

  ARGV
    1 cursor  of the scan; 0 at its beginning
    2 prefix
    3 count   texts to look at, about

  Returns { cursor, scanned, … }: cursor is '0' at the end; then for each member and text.
]]
local scan = redis.call('HSCAN', TEXTS, ARGV[1], 'COUNT', ARGV[3])
local entries, prefix = scan[2], ARGV[2]
local answer = { scan[1], #entries / 2 }
for at = 1, #entries, 2 do
  if string.sub(entries[at + 1], 1, #prefix) == prefix then
    add(answer, entries[at], entries[at + 1])
  end
end
return answer
