package sandbox

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// newSTS is the STS service.
func newSTS(*Server) *service {
	ops := operations{
		"GetCallerIdentity": {run: getCallerIdentity},
	}
	v := queryService("sts", stsNamespace, ops, []string{"RoleArn"})
	v.refusals = queryRefusals()
	return v
}

// getCallerIdentity needs no permission: an explicit deny does not stop it either
// (STS API reference, GetCallerIdentity).
func getCallerIdentity(c *call, _ params) (any, error) {
	c.resource = c.caller.ARN
	return struct{ UserId, Account, Arn string }{c.caller.userID, c.caller.Account, c.caller.ARN}, nil //nolint:revive,staticcheck // the elements' names
}
