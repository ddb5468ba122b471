-- Counts a try to sign in, for `window` seconds from the first. Returns how many there were.
-- keys: counter
-- args: window
local n = redis.call('INCR', keys.counter)
if n == 1 then redis.call('EXPIRE', keys.counter, args.window) end
return n
