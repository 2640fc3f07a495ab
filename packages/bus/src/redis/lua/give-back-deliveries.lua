#!lua flags=allow-oom
-- @include group-state
--[[
  Takes attempts back that were not handed on: they do not count.

  ARGV
    1 …  for each delivery: member, life, attempt, uncounted

  Returns how many were taken back; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local open, records = openAttempts(1)
for _, member in ipairs(open) do
  giveBack(member, records[member])
end
writeChanges()
return #open
