-- @include group-state
--[[
  Gives up attempts that are in flight.

  ARGV
    1 delayMs  before the next attempt
    2 reason   as JSON
    3 …        for each delivery: member, life, attempt, uncounted

  Returns how many were given up; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local open, records = openAttempts(3)
for _, member in ipairs(open) do
  fail(group, member, records[member], { at = now, dueAt = now + ARGV[1], reason = ARGV[2] })
end
writeChanges()
return #open
