-- Whether `role` at one place keeps `other` out: unlike ones do, and where a look alone keeps what is there, everybody.
local function keepsOut(role, other) return other ~= role or role == 'fills' end
